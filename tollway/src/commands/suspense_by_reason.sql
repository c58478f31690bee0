SELECT
    reason,
    cost_currency,
    count(*) AS rows,
    sum(cost) AS at_risk
FROM cdr
WHERE outcome = 'suspense' AND reason <> 'written_off'
GROUP BY reason, cost_currency
ORDER BY rows DESC, reason
