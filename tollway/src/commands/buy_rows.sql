SELECT
    provider,
    account,
    kind,
    arrow_cast(start, 'Int64') AS start_us,
    start_offset_s,
    duration_s,
    bytes_up,
    bytes_down,
    messages,
    b_number,
    b_number_type,
    network,
    provider_class,
    cost,
    cost_currency
FROM cdr
WHERE outcome IN ('rated', 'suspense')
    AND cost IS NOT NULL
    AND start IS NOT NULL
