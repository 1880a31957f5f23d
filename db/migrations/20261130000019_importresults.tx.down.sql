DROP INDEX imports_checked;
ALTER TABLE imports DROP COLUMN result;
