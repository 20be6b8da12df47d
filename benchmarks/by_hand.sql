-- The whole panel as one would write it by hand for DuckDB, straight on the Parquet log.
-- Set before: the variables log (path), period, gap, horizon (days), and the function
-- expected_hour_entropy(n). Leaves the view `panel`.

SET TimeZone = 'UTC';
SET preserve_insertion_order = false;
SET VARIABLE day = 86400000000;

CREATE TEMP VIEW log AS
SELECT source_id, target_id, seq, epoch_us(created_at) AS acted_at
FROM read_parquet(getvariable('log'))
WHERE source_id <> target_id;

SET VARIABLE first_at = (SELECT min(acted_at) FROM log);
SET VARIABLE last_at = (SELECT max(acted_at) FROM log);
SET VARIABLE start = getvariable('first_at') // getvariable('day') * getvariable('day');
SET VARIABLE step = getvariable('period') * getvariable('day');
SET VARIABLE last_period =
    (getvariable('last_at') - getvariable('start') - getvariable('horizon') * getvariable('day'))
    // getvariable('step') - 2;

CREATE TEMP TABLE accounts AS
SELECT account_id, row_number() OVER (ORDER BY account_id)::INTEGER AS account
FROM (SELECT source_id AS account_id FROM log UNION SELECT target_id FROM log);

-- Every act with the pair's act before it and the first act ever in its direction.
CREATE TEMP TABLE acts AS
WITH numbered AS (
    SELECT s.account AS source, t.account AS target, acted_at, seq,
           ((acted_at - getvariable('start')) // getvariable('step'))::INTEGER AS period,
           least(s.account, t.account) AS low, greatest(s.account, t.account) AS high
    FROM log
    JOIN accounts s ON s.account_id = source_id
    JOIN accounts t ON t.account_id = target_id
), seen AS (
    SELECT *,
           lag(source) OVER earlier AS before_source,
           lag(acted_at) OVER earlier AS before_at,
           lag(period) OVER earlier AS before_period,
           min(acted_at) FILTER (source < target) OVER ever AS first_up,
           min(acted_at) FILTER (source > target) OVER ever AS first_down
    FROM numbered
    WINDOW earlier AS (PARTITION BY low, high ORDER BY acted_at, seq),
           ever AS (PARTITION BY low, high ORDER BY acted_at, seq
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
)
SELECT source, target, low, high, acted_at, period,
       before_at IS NULL AS opens_pair,
       coalesce(before_source = target AND acted_at - before_at <= 7 * getvariable('day'), false)
           AS is_answer,
       coalesce(before_period = period, false) AS goes_on,
       goes_on AND before_source = target AS turned,
       if(source < target, first_up, first_down) AS first_at
FROM seen;

CREATE TEMP TABLE newcomers AS
WITH comings AS (
    SELECT target AS account, first_at,
           bool_or(acted_at - first_at BETWEEN getvariable('gap') * getvariable('day')
                                     AND getvariable('horizon') * getvariable('day')) AS lasts
    FROM acts
    GROUP BY source, target, first_at
)
SELECT account, ((first_at - getvariable('start')) // getvariable('step'))::INTEGER AS period,
       count(*) AS new_audience, count(*) FILTER (lasts) AS lasting_audience
FROM comings
GROUP BY ALL;

CREATE TEMP TABLE conversation AS
WITH exchanges AS (
    SELECT low, high, period,
           max(source) FILTER (NOT goes_on) AS opener,
           count(*) FILTER (turned) AS changes,
           min(acted_at) AS opened_at,
           min(acted_at) FILTER (turned AND source = low) AS low_at,
           min(acted_at) FILTER (turned AND source = high) AS high_at
    FROM acts
    GROUP BY low, high, period
), sides AS (
    -- Each of the two: when the other first wrote in the period, when it wrote after that.
    SELECT low AS account, period, changes,
           if(opener = low, high_at, opened_at) AS wrote_at, low_at AS answered_at
    FROM exchanges
    UNION ALL
    SELECT high, period, changes, if(opener = high, low_at, opened_at), high_at
    FROM exchanges
)
SELECT account, period,
       count(wrote_at) AS inbound,
       count(*) FILTER (answered_at - wrote_at <= 7 * getvariable('day')) AS answered,
       median((answered_at - wrote_at) / 3600000000)
           FILTER (answered_at - wrote_at <= 7 * getvariable('day')) AS answer_delay_hours,
       avg((changes > 0)::INTEGER) AS reciprocity,
       count(*) FILTER (changes > 0) AS two_way,
       coalesce(sum(changes) / nullif(two_way, 0), 0) AS depth
FROM sides
GROUP BY account, period;

CREATE TEMP TABLE own AS
SELECT source AS account, period, count(*) AS own_acts,
       count(*) FILTER (NOT is_answer) AS other_acts,
       avg(opens_pair::INTEGER) AS cold_outreach
FROM acts
GROUP BY source, period;

CREATE TEMP TABLE timing AS
WITH enough AS (
    SELECT source AS account, acts.period, acted_at
    FROM acts JOIN own ON own.account = source AND own.period = acts.period
    WHERE own_acts >= 10
), gaps AS (
    SELECT account, period,
           (acted_at - lag(acted_at) OVER (PARTITION BY account, period ORDER BY acted_at)) / 3600000000 AS gap
    FROM enough
), spread AS (
    SELECT account, period, count(*) AS n, stddev_pop(gap) / nullif(avg(gap), 0) AS r
    FROM gaps
    GROUP BY account, period
), hours AS (
    SELECT account, period, count(*) AS k
    FROM enough
    GROUP BY account, period, acted_at % getvariable('day') // 3600000000
), entropy AS (
    SELECT account, period, ln(sum(k)) - sum(k * ln(k)) / sum(k) AS observed
    FROM hours
    GROUP BY account, period
), at_random AS (
    SELECT n, expected_hour_entropy(n) AS expected
    FROM (SELECT DISTINCT own_acts AS n FROM own WHERE own_acts >= 10)
)
SELECT account, period,
       (sqrt(n + 1) * r - sqrt(n - 1)) / ((sqrt(n + 1) - 2) * r + sqrt(n - 1)) AS burstiness,
       (expected - observed) / ln(24) AS schedule_focus
FROM spread JOIN entropy USING (account, period) JOIN at_random USING (n);

CREATE TEMP VIEW panel AS
WITH pooled AS (
    SELECT period,
           coalesce(sum(sum(answered)) OVER earlier / sum(sum(inbound)) OVER earlier, 0.5) AS p
    FROM conversation
    GROUP BY period
    WINDOW earlier AS (ORDER BY period ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), joined AS (
    SELECT c.*, p,
           coalesce(own_acts, 0) AS own_acts, coalesce(other_acts, 0) AS other_acts,
           cold_outreach, burstiness, schedule_focus,
           coalesce(n.new_audience, 0) AS new_now,
           coalesce(o.new_audience, 0) AS new_audience,
           coalesce(o.lasting_audience, 0) AS lasting_audience
    FROM conversation c
    JOIN pooled USING (period)
    LEFT JOIN own USING (account, period)
    LEFT JOIN timing USING (account, period)
    LEFT JOIN newcomers n USING (account, period)
    LEFT JOIN newcomers o ON o.account = c.account AND o.period = c.period + 1
), looked_back AS (
    SELECT *,
           period - min(period) OVER ever AS tenure,
           period - min(period) FILTER (own_acts > 0) OVER ever + 1 AS since_own,
           coalesce(sum(inbound) OVER past, 0) AS past_inbound,
           coalesce(sum(answered) OVER past, 0) AS past_answered,
           coalesce(sum(other_acts) OVER past, 0) AS past_acts,
           count(*) FILTER (two_way > 0) OVER recent AS two_way_periods
    FROM joined
    WINDOW ever AS (PARTITION BY account ORDER BY period
                    ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING),
           past AS (PARTITION BY account ORDER BY period RANGE BETWEEN 3 PRECEDING AND 1 PRECEDING),
           recent AS (PARTITION BY account ORDER BY period
                      RANGE BETWEEN 3 PRECEDING AND CURRENT ROW)
)
SELECT account_id, period,
       make_timestamp(getvariable('start') + period * getvariable('step')) AS period_start,
       new_audience, lasting_audience, inbound, answered, answer_delay_hours,
       if(inbound > 0, (answered + 2 * p) / (inbound + 2), NULL) AS answering,
       if(past_inbound > 0 AND tenure >= 3, (past_answered + 2 * p) / (past_inbound + 2), NULL)
           AS past_answering,
       reciprocity, depth,
       if(since_own > 0, two_way_periods / least(since_own, 4), NULL) AS persistence,
       ln(1 + other_acts) AS post_volume,
       schedule_focus, burstiness, cold_outreach,
       new_now, tenure, past_inbound, past_acts, own_acts, p AS pooled_answering
FROM looked_back JOIN accounts USING (account)
WHERE period <= getvariable('last_period')
ORDER BY account, period;
