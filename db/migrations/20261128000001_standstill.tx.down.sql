ALTER TABLE instances DROP still_since;
