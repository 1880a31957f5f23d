package db

// HasPreferences are the clients of the index clients_preferences, few of all. A query that names it finds them by it.
const HasPreferences = "(left_topics IS NOT NULL OR paused_until IS NOT NULL OR frequency IS NOT NULL)"

// SkipReason is why a client (as `client`) gets no email of the topic ?0 (0: none) in a run of the time ?1, NULL when it
// does. Of two runs at almost the same time of the day a week apart both go out, over a change of clocks too. An email
// that was never accepted takes nobody's turn.
const SkipReason = `CASE WHEN client.suppressed_at IS NOT NULL THEN client.suppressed_reason
	WHEN ?0 = ANY(client.left_topics) THEN 'topic'
	WHEN client.paused_until > now() THEN 'paused'
	WHEN client.frequency IS NOT NULL AND client.last_run_at + CASE client.frequency WHEN 'week' THEN interval '7 days' ELSE interval '1 month' END
			> ?1::timestamptz + interval '3 hours'
		AND EXISTS (SELECT FROM deliveries WHERE run_id = client.last_run_id AND client_id = client.id AND outcome IN ('queued', 'deferred', 'accepted'))
		THEN 'frequency' END`
