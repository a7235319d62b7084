-- What a build replaced although a check warned: a warning that goes on is told once, one that comes back again.
ALTER TABLE pipeline.mart_build ADD COLUMN warned date[] NOT NULL DEFAULT '{}';
