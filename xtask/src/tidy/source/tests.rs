//! The scanner on the corners of Rust's syntax.

use super::*;

fn code_of(text: &str) -> String {
    masks(text)[Part::Code as usize].clone()
}

#[test]
fn strings_characters_and_comments_are_not_code() {
    for (text, code) in [
        ("a /* b /* c */ d */ e", "a e"),
        ("a // f64 }\nb", "a b"),
        (r#"x("{ \" }") y"#, "x( ) y"),
        (r##"x(r#"a "quote" } "#) y"##, "x( ) y"),
        ("br\"}\" b\"}\" c", "b c"),
        ("'}' 'a '\\'' '\\u{7d}' b'{' c", "'a b c"),
        ("'é' 'x ü", "'x ü"),
        ("r#type r\"x", "r#type"),
        ("fn for<'a>(b: &'a str) {}", "fn for<'a>(b: &'a str) {}"),
    ] {
        assert_eq!(code_of(text).split_whitespace().collect::<Vec<_>>().join(" "), code, "in {text}");
    }
}

#[test]
fn masks_keep_lines_and_lengths() {
    let text = "a\n/* ü\n */ b \"\n\" c\n";
    for mask in masks(text) {
        assert_eq!(mask.len(), text.len());
        assert_eq!(mask.matches('\n').count(), text.matches('\n').count());
    }
}

#[test]
fn an_open_end_reaches_the_end_of_the_file() {
    for text in ["\"open", "r#\"open\"", "/* open", "'\\", "\"\\"] {
        assert!(code_of(text).trim().is_empty(), "in {text}");
    }
}

#[test]
fn functions_have_first_and_last_lines() {
    let text = "trait T {\n    fn without(&self);\n    fn with(&self, f: fn(u8) -> u8) -> [u8; 2] {\n        inner('{')\n    }\n}\n\
                fn inner(c: char)\nwhere\n    char: Sized,\n{\n    fn nested() {}\n}\n";
    let source = RustSource::new("a/src/lib.rs", text);
    let found: Vec<(String, usize, usize)> =
        source.functions().into_iter().map(|f| (f.name, f.first_line, f.last_line)).collect();
    let wanted = [("with", 3, 5), ("inner", 7, 12), ("nested", 11, 11)];
    assert_eq!(found, wanted.map(|(name, first, last)| (name.to_owned(), first, last)));
}

#[test]
fn a_reason_stands_above_or_at_the_beginning() {
    let source = RustSource::new(
        "a/src/lib.rs",
        "// tidy: a reason of another\nfn a() {\n}\n\n/// Doc.\n// tidy: one arm per reason\n#[inline]\nfn b() {\n}\n\n\
         fn c() {\n    // tidy: a table of zones\n}\nfn d() {\n    let x = 1;\n    // tidy: further down\n}\nfn e() {} // tidy: short\n",
    );
    let excused: Vec<String> = source
        .functions()
        .into_iter()
        .filter(|function| source.is_excused(function.first_line))
        .map(|function| function.name)
        .collect();
    assert_eq!(excused, ["a", "b", "c"]);
}

#[test]
fn test_modules_are_found_inside_and_outside_of_the_file() {
    let text = "use a;\n#[cfg(test)]\nuse b;\nfn c() {}\n#[cfg(test)]\n#[rustfmt::skip]\nmod tests {\n    fn d() {}\n}\n#[cfg(test)]\nmod cases;\n";
    let mut sources = vec![
        RustSource::new("a/src/flow.rs", text),
        RustSource::new("a/src/flow/cases.rs", "fn e() {}\n"),
        RustSource::new("a/src/flow/cases/one.rs", "fn g() {}\n"),
        RustSource::new("a/src/cases.rs", "fn f() {}\n"),
    ];
    mark_test_modules(&mut sources);
    let tests: Vec<usize> = (1..=11).filter(|line| sources[0].is_test(*line)).collect();
    assert_eq!(tests, [2, 3, 5, 6, 7, 8, 9, 10, 11]);
    assert_eq!(sources[0].line_counts(), (2, 9));
    assert!(sources[1].is_test(1) && sources[2].is_test(1) && !sources[3].is_test(1));
}

#[test]
fn test_folders_are_tests_as_a_whole() {
    for (path, test) in [
        ("tests/src/lib.rs", true),
        ("sinks/src/commit/tests.rs", true),
        ("sinks/tests/io.rs", true),
        ("benches/src/parse.rs", true),
        ("xtask/src/test.rs", false),
        ("rate/src/contests.rs", false),
    ] {
        assert_eq!(RustSource::new(path, "fn a() {}\n").is_test(1), test, "{path}");
    }
}

#[test]
fn words_stand_alone() {
    assert!(has_word("let x: f64 = 1;", "f64"));
    assert!(!has_word("let x = buf64;", "f64"));
    assert!(!has_word("async_fn()", "fn"));
}
