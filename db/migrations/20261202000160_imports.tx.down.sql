DROP TABLE import_suppressions, import_changes, import_parts;
DELETE FROM imports WHERE status IN ('checked', 'queued', 'running') AND content = '';
UPDATE imports SET status = 'undone' WHERE status = 'undoing';
DROP INDEX imports_kept;
ALTER TABLE imports
    ALTER content DROP DEFAULT,
    DROP sheets,
    DROP same,
    DROP kept,
    DROP CONSTRAINT imports_status_check,
    ADD CONSTRAINT imports_status_check CHECK (status IN ('checked', 'queued', 'running', 'done', 'undone', 'failed'));
