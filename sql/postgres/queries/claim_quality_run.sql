-- Take the number of a run, so that its objects and jobs have names that no other run has.
-- Parameters: day
-- Result: one row, the number
INSERT INTO pipeline.quality_watermark AS w (position, ran_on, runs)
VALUES (0, :day, 1)
ON CONFLICT (singleton) DO UPDATE SET runs = w.runs + 1
RETURNING runs
