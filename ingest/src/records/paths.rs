//! Paths to columns as a tree of names: each name of a record is looked up where the one around it was found.

/// The names that lead to a column, the outermost first, as the file writes them.
pub(crate) type Path = Vec<Vec<u8>>;

/// The place of a name in the tree.
pub(crate) type Node = usize;

/// The tree of the names that lead to columns.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    nodes: Vec<Place>,
    columns: usize,
}

#[derive(Debug, Clone, Default)]
struct Place {
    column: Option<usize>,
    below: Vec<(Box<[u8]>, Node)>,
}

impl Paths {
    /// The record itself.
    pub const ROOT: Node = 0;

    /// The tree of these paths; the column of each is its position.
    pub fn new(paths: &[Path]) -> Self {
        let mut tree = Self { nodes: vec![Place::default()], columns: paths.len() };
        for (column, path) in paths.iter().enumerate() {
            let node = path.iter().fold(Self::ROOT, |node, name| tree.grow(node, name));
            tree.nodes[node].column = Some(column);
        }
        tree
    }

    fn grow(&mut self, node: Node, name: &[u8]) -> Node {
        self.below(node, name).unwrap_or_else(|| {
            let new = self.nodes.len();
            self.nodes.push(Place::default());
            self.nodes[node].below.push((name.into(), new));
            new
        })
    }

    /// How many columns there are.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// How many names there are, the record itself among them.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// The place of a name below another one.
    #[inline]
    pub fn below(&self, node: Node, name: &[u8]) -> Option<Node> {
        self.nodes[node].below.iter().find(|(known, _)| **known == *name).map(|(_, node)| *node)
    }

    /// The column that a name leads to.
    #[inline]
    pub fn column(&self, node: Node) -> Option<usize> {
        self.nodes[node].column
    }

    /// The name that leads to a column.
    pub fn node_of(&self, column: usize) -> Option<Node> {
        self.nodes.iter().position(|place| place.column == Some(column))
    }

    /// How many names stand below one.
    pub fn names_below(&self, node: Node) -> usize {
        self.nodes[node].below.len()
    }

    /// Whether paths go on below a name.
    #[inline]
    pub fn goes_on(&self, node: Node) -> bool {
        !self.nodes[node].below.is_empty()
    }

    /// The first column at or below a name: what people are told when something is wrong there.
    pub fn first_column(&self, node: Node) -> usize {
        let place = &self.nodes[node];
        place.column.unwrap_or_else(|| place.below.first().map_or(self.columns, |(_, below)| self.first_column(*below)))
    }
}
