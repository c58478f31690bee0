SELECT
    delivery,
    sum(ledger_rated) AS rated,
    sum(ledger_suspense) AS suspense,
    sum(ledger_duplicates) AS duplicates,
    sum(ledger_resent) AS resent,
    sum(ledger_skipped) AS skipped
FROM cdr_entries
WHERE outcome = 'ledger'
GROUP BY delivery
