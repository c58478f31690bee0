SELECT
    a_number,
    imsi,
    iccid,
    provider,
    account,
    cost_currency,
    count(*) AS records,
    min(start) AS first_seen,
    max(start) AS last_seen,
    sum(duration_s) AS seconds,
    sum(coalesce(bytes_up, 0) + coalesce(bytes_down, 0)) AS bytes,
    sum(cost) AS cost
FROM cdr
WHERE outcome = 'suspense' AND reason = 'no_device'
GROUP BY a_number, imsi, iccid, provider, account, cost_currency
