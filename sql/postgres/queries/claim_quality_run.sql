-- Take the number of a run. It comes again after a restore, so names of objects and jobs need a word of their own too.
-- Parameters: day
-- Result: one row, the number
INSERT INTO pipeline.quality_watermark AS w (position, ran_on, runs)
VALUES (0, :day, 1)
ON CONFLICT (singleton) DO UPDATE SET runs = w.runs + 1
RETURNING runs
