-- Since when an instance has had emails to send and nothing of it has moved, though neither a limit
-- nor the mail server is the reason; each heartbeat says it. /readyz reads it.
ALTER TABLE instances ADD still_since timestamptz;
