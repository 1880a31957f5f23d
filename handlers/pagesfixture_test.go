package handlers

// pagesFixture is an owner (1) with 100,000 of 198,000 clients, 300 mailings and a million
// attempts of 20 runs, the last of them under way. Clients came one after the other in 60 days.
var pagesFixture = []string{
	`INSERT INTO users (email, name, password_hash, role)
		SELECT 'owner' || n || '@x.org', 'Owner ' || n, '', 'user' FROM generate_series(1, 49) AS n`,
	`INSERT INTO clients (owner_id, email, full_name, comment, tags, created_at)
		SELECT owner.id, 'client' || i || '@' || (ARRAY['gmail.com', 'mail.ru', 'example.org'])[1 + i % 3],
			(ARRAY['Иван', 'Анна', 'Пётр', 'John'])[1 + i % 4] || ' ' || (ARRAY['Петров', 'Smith', 'Brown'])[1 + i / 4 % 3],
			'познакомились на выставке номер ' || i, CASE WHEN i % 10 = 0 THEN ARRAY['vip'] ELSE ARRAY['news'] END,
			now() - (100000 - i) * interval '52 s'
		FROM users AS owner, LATERAL generate_series(1, CASE owner.id WHEN 1 THEN 100000 ELSE 2000 END) AS i
		WHERE owner.role = 'user'`,
	`INSERT INTO messages (owner_id, subject, body) SELECT 1, 'News ' || n, 'Hello {{name}}' FROM generate_series(1, 100) AS n`,
	`INSERT INTO mailings (owner_id, message_id, name, audience, tags, start_local, timezone, periodicity, status, next_no, next_run_at, launched_at)
		SELECT 1, 1, 'Mailing ' || n, CASE WHEN n % 3 = 0 THEN 'tags' ELSE 'all' END, '{vip}', timestamp '2026-01-01 09:00' + n * interval '37 minutes', 'UTC', 'weekly',
			CASE WHEN n % 3 < 2 THEN 'running' ELSE 'created' END, 1, CASE WHEN n % 3 < 2 THEN now() + n * interval '3 hours' END,
			CASE WHEN n % 3 < 2 THEN now() END
		FROM generate_series(1, 300) AS n`,
	`INSERT INTO runs (mailing_id, owner_id, occurrence_no, scheduled_at, subject, body, status, planned, accepted, failed, created_at, closed_at)
		SELECT 1, 1, n, now() - (20 - n) * interval '1 day', 'News', 'Hello', CASE n WHEN 20 THEN 'running' ELSE 'done' END,
			50000, CASE n WHEN 20 THEN 0 ELSE 49500 END, CASE n WHEN 20 THEN 0 ELSE 500 END,
			now() - (20 - n) * interval '1 day' - interval '1 hour', CASE WHEN n < 20 THEN now() - (20 - n) * interval '1 day' END
		FROM generate_series(1, 20) AS n`,
	`INSERT INTO deliveries (run_id, seq, client_id, email, outcome, tries)
		SELECT run.id, n, n, 'client' || n || '@gmail.com', CASE WHEN run.id = 20 AND n > 25000 THEN 'queued' WHEN n % 100 = 0 THEN 'failed' ELSE 'accepted' END, 1
		FROM runs AS run, generate_series(1, 50000) AS n`,
	`INSERT INTO attempts (run_id, seq, client_id, email, n, at, status, code, answer)
		SELECT run_id, seq, client_id, email, 1, now() - (20 - run_id) * interval '1 day' - interval '1 hour' + seq * interval '60 ms',
			outcome, CASE outcome WHEN 'failed' THEN 550 ELSE 250 END, '2.0.0 Ok: queued as ABCDEF'
		FROM deliveries WHERE outcome <> 'queued'`,
	`INSERT INTO batches (run_id, first_seq, open, done, accepted) SELECT 20, n, CASE WHEN n > 25000 THEN 100 ELSE 0 END, n <= 25000, CASE WHEN n > 25000 THEN 0 ELSE 100 END
		FROM generate_series(1, 50000, 100) AS n`,
	`VACUUM ANALYZE`,
}
