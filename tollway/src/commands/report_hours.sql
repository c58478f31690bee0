SELECT
    split_part(kind, '-', 1) AS kind,
    (arrow_cast(start, 'Int64') / 1000000 + start_offset_s) / 3600 AS hour,
    count(*) AS records
FROM cdr
WHERE start IS NOT NULL
GROUP BY 1, 2
ORDER BY 1, 2
