-- Only another outcome has the days of a chunk measured again; a mark that its profile was looked at is none.
DROP TRIGGER note_change ON pipeline.chunk;
CREATE TRIGGER note_change
    BEFORE INSERT OR UPDATE OF state, valid, inserted, updated, unchanged, superseded, quarantined, held ON pipeline.chunk
    FOR EACH ROW WHEN (NEW.state <> 'registered') EXECUTE FUNCTION pipeline.note_change();
