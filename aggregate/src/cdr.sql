CREATE VIEW cdr AS
SELECT e.*
FROM cdr_entries AS e
LEFT ANTI JOIN (
    SELECT delivery, row, entry_no
    FROM cdr_entries
    WHERE entry = 'reversal'
) AS r
    ON e.delivery = r.delivery
    AND e.row = r.row
    AND e.entry_no = r.entry_no
WHERE e.entry IN ('charge', 'correction')
