SELECT
    zone,
    min(zone_by) AS zone_by,
    count(*) AS records,
    sum(charge) AS charge
FROM cdr
WHERE outcome = 'rated'
GROUP BY zone
ORDER BY charge DESC
