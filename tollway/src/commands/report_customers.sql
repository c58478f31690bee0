SELECT
    customer,
    sum(count) AS records,
    sum(charge) AS charge
FROM totals
GROUP BY customer
ORDER BY charge DESC
