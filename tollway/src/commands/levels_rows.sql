SELECT
    owner_path,
    plan,
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
    cost_currency,
    party,
    customer,
    subscription,
    charge,
    currency
FROM cdr
WHERE outcome = 'rated'
