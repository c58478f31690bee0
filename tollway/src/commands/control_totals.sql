SELECT tenant, provider, account, coalesce(provider_cycle, '') AS cycle, outcome,
       count(*) AS records, sum(duration_s) AS seconds,
       sum(coalesce(bytes_up, 0) + coalesce(bytes_down, 0)) AS bytes, sum(messages) AS messages,
       cost_currency, sum(cost) AS cost, currency, sum(charge) AS charge
FROM cdr
WHERE outcome IN ('rated', 'suspense')
GROUP BY tenant, provider, account, coalesce(provider_cycle, ''), outcome, cost_currency, currency
