-- Counters of the transactions that the chunks of the given ledger days wrote last, found by the index of change_seq.
-- Parameters: days. Canaries of `sluice doctor` are left out.
-- Result: day, facts, late, with_user, inferred_users, inferred_products
SELECT
    c.day,
    count(*) AS facts,
    count(*) FILTER (WHERE t.flags & 8 <> 0) AS late,
    count(t.user_key) AS with_user,
    count(*) FILTER (WHERE u.inferred) AS inferred_users,
    count(*) FILTER (WHERE p.inferred) AS inferred_products
FROM pipeline.chunk AS c
INNER JOIN commerce.transactions AS t ON t.change_seq = c.loaded_xid AND t.source_chunk = c.chunk_key
INNER JOIN commerce.products AS p USING (product_key)
LEFT JOIN commerce.users AS u USING (user_key)
WHERE c.day = ANY(CAST(:days AS date[])) AND c.source = 'transactions' AND c.state = 'loaded'
    AND c.chunk_id NOT LIKE 'canary-%'
GROUP BY c.day
ORDER BY c.day
