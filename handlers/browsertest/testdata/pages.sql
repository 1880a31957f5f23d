-- What stands on the pages that the crawler looks at: people of every role and state, things with
-- the longest names, runs that went well, badly and not to their end. The ids are those of
-- pages_test.go. Nothing here is due before 2031, so the engine leaves it as it is.
ALTER TABLE users ALTER id RESTART 1000;
ALTER TABLE clients ALTER id RESTART 1000;
ALTER TABLE posts ALTER id RESTART 1000;

INSERT INTO users (id, email, name, password_hash, role, language, timezone, verified_at, blocked_at, blocked_reason, last_sign_in_at) VALUES
    (1, 'olga.owner@example.com', 'Olga Konstantinopolskaya-Featherstonehaugh', '', 'user', 'en', 'Europe/Moscow', now(), NULL, '', now()),
    (2, 'max.manager@example.com', 'Max Manager', '', 'manager', 'en', 'Europe/Berlin', now(), NULL, '', now()),
    (3, 'cora.content@example.com', 'Cora Content', '', 'content', 'en', 'UTC', now(), NULL, '', now()),
    (4, 'ada.admin@example.com', 'Ada Admin', '', 'admin', 'en', 'Asia/Vladivostok', now(), NULL, '', now()),
    (5, 'empty@example.com', 'Nobody Yet', '', 'user', 'en', 'UTC', now(), NULL, '', NULL),
    (6, 'blocked-for-a-reason-that-is-as-long-as-his-address@subdomain.of-a-very-long-name.example.com', 'Boris Blocked', '', 'user', 'ru', 'UTC', now(), now(), 'Complaints of readers about letters that they have never asked for', NULL),
    (7, 'refused@example.com', 'Vera Refused', '$argon2id$v=19$m=65536,t=2,p=2$GBS9K5M/sdwns1J8H1RTug$MOsgA56iQTV28rf/Q37e8fQg7puIhRhUAxReHYQm71k', 'user', 'ru', 'UTC', now(), now(), 'Complaints', NULL),
    (8, 'clients@example.com', 'Clara Clients', '', 'user', 'en', 'UTC', now(), NULL, '', now()),
    (9, 'message@example.com', 'Mia Message', '', 'user', 'en', 'UTC', now(), NULL, '', now());

-- The cookie of user 1 is the base64url of 1, filled with zeros on the left to 32 bytes.
INSERT INTO sessions (hash, user_id, user_agent, ip, expires_at)
SELECT sha256(lpad(id::text, 32, '0')::bytea), id, 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36', '203.0.113.7', now() + interval '1 day' FROM users WHERE id NOT IN (6, 7);

INSERT INTO registrations (id, email, name, language, timezone) VALUES (1, 'new@example.com', 'Nora New', 'en', 'UTC');
INSERT INTO tokens (hash, user_id, registration_id, purpose, expires_at) VALUES
    (sha256(lpad('verify', 32, '0')::bytea), NULL, 1, 'verify', now() + interval '1 day'),
    (sha256(lpad('reset', 32, '0')::bytea), 1, NULL, 'reset', now() + interval '1 day');

INSERT INTO email_changes (id, user_id, email, old_confirmed_at) VALUES (1, 1, 'olga@konstantinopolskaya.example', now());
INSERT INTO tokens (hash, user_id, change_id, purpose, expires_at) VALUES
    (sha256(lpad('change', 32, '0')::bytea), 1, 1, 'email_new', now() + interval '1 day');

-- The first has all its records, the second none but a wrong one.
INSERT INTO sender_domains (id, owner_id, domain, rsa_selector, rsa_public, rsa_key, ed25519_selector, ed25519_public, ed25519_key, records, checked_at, green_at)
SELECT i, 1, domain, 'sky-k2m9qa7x-rsa', repeat('MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A', 12), '', 'sky-k2m9qa7x-ed25519', repeat('x', 43) || '=', '', jsonb_build_array(
    jsonb_build_object('kind', 'dkim_rsa', 'name', 'sky-k2m9qa7x-rsa._domainkey.' || domain, 'value', 'v=DKIM1; k=rsa; p=' || repeat('MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A', 12),
        'verdict', verdict, 'found', jsonb_build_array('v=DKIM1; k=rsa; p=' || repeat('MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A', 10))),
    jsonb_build_object('kind', 'dkim_ed25519', 'name', 'sky-k2m9qa7x-ed25519._domainkey.' || domain, 'value', 'v=DKIM1; k=ed25519; p=' || repeat('x', 43) || '=', 'verdict', 'missing'),
    jsonb_build_object('kind', 'dmarc', 'name', '_dmarc.' || domain, 'value', 'v=DMARC1; p=none', 'verdict', dmarc, 'found', jsonb_build_array('v=DMARC1; p=quarantine'))), now(), green
FROM (VALUES (1, 'konstantinopolskaya.example', 'good', 'good', now()), (2, repeat('subdomain.', 8) || 'example.com', 'other_key', 'unknown', NULL)) AS known (i, domain, verdict, dmarc, green);
INSERT INTO senders (id, owner_id, domain_id, name, email, reply_to, confirmed_at) VALUES
    (1, 1, 1, 'Olga’s flowers', 'news@konstantinopolskaya.example', '', now()),
    (2, 1, 2, repeat('A name that goes on ', 4), 'news@' || repeat('subdomain.', 8) || 'example.com', 'help@example.com', NULL);
INSERT INTO tokens (hash, user_id, sender_id, purpose, expires_at) VALUES
    (sha256(lpad('sender', 32, '0')::bytea), 1, 2, 'sender', now() + interval '1 day');

INSERT INTO clients (id, owner_id, email, full_name, comment, tags, suppressed_at, suppressed_reason)
SELECT i, 1, 'client' || i || '@example.com', (ARRAY['Иван Петров', 'Анна Smith', 'John Brown', ''])[1 + i % 4],
    CASE WHEN i % 3 = 0 THEN 'Met at the fair, asked for news of spring' ELSE '' END,
    CASE WHEN i % 5 = 0 THEN ARRAY['vip', 'regulars'] WHEN i % 2 = 0 THEN ARRAY['news'] ELSE '{}' END,
    CASE WHEN i % 20 < 2 THEN now() END, CASE i % 20 WHEN 0 THEN 'unsubscribed' WHEN 1 THEN 'bounced' ELSE '' END
FROM generate_series(1, 60) AS i;
UPDATE clients SET email = repeat('long', 16) || '@' || repeat('subdomain.', 12) || 'example.com',
    full_name = 'Maximilian-Alexander von und zu Oberhausen-Niederwaldkirchen der Jüngere, ' || repeat('Nachname', 12),
    comment = repeat('A comment that goes on and on. ', 30) || repeat('unbroken', 30),
    tags = ARRAY[repeat('tag', 16), 'news', 'vip', 'a tag of words', 'regulars', 'spring', 'garden'] WHERE id = 60;
INSERT INTO clients (owner_id, email) VALUES (4, 'client@example.com'), (8, 'client@example.com'), (9, 'client@example.com');

INSERT INTO topics (id, owner_id, name, details) VALUES
    (1, 1, 'News', 'Once a month: what is new in the shop.'),
    (2, 1, 'Offers', '');
INSERT INTO fields (id, owner_id, key, label, type, choices, listed) VALUES
    (1, 1, 'city', 'City', 'text', '{}', true), (2, 1, 'plan', 'Plan', 'choice', '{Gold,Silver}', false), (3, 1, 'born', 'Born', 'date', '{}', false);
UPDATE clients SET fields = '{"1": "Amsterdam", "2": "Gold", "3": "1990-05-31"}' WHERE owner_id = 1 AND id % 2 = 0;

INSERT INTO bulk_acts (id, owner_id, act, tags, total, done, changed, status, newest) VALUES
    (1, 1, 'suppress', '{}', 5, 5, 3, 'done', 60), (2, 1, 'delete', '{}', 100000, 40000, 40000, 'running', 60);

INSERT INTO segments (id, owner_id, name, match, conditions, clients, counted_at) VALUES
    (1, 1, 'Amsterdam, gold', 'all', '[{"field": 1, "op": "is", "value": "amsterdam"}, {"field": 2, "op": "is", "value": "Gold"},
        {"field": 3, "op": "lt", "value": "2000-01-01"}, {"where": "added_at", "op": "within_days", "value": "30"}]', 30, now()),
    (2, 1, repeat('A name that goes on ', 5), 'any', ('[{"where": "tag", "op": "contains", "value": "' || repeat('unbroken', 30) || '"},
        {"where": "last_accepted_at", "op": "empty"}, {"where": "emails_accepted", "op": "gt", "value": "3"}]')::jsonb, NULL, NULL);

INSERT INTO forms (id, owner_id, token, name, text, agreement, agreement_id, tick, tags, topic_ids, fields, sender_id, thanks, closed_at)
SELECT 1, 1, 'tulips', 'First tulips, before anybody else', E'Once a *month*, in spring each week:\n\n- red\n- yellow\n\n[Our shop](https://example.com)', 'I agree to [this](https://example.com/privacy). ' || repeat('Words ', 30), 1, true,
    '{web,spring}'::text[], ARRAY(SELECT id FROM topics WHERE owner_id = 1), '[{"id":0},{"id":1,"required":true},{"id":2},{"id":3}]'::jsonb, 1, '', NULL::timestamptz
UNION ALL SELECT 2, 1, 'closed', repeat('unbroken', 12), repeat('unbroken', 60), 'I agree.', 2, false, '{}', '{}', '[]', NULL, '', now();
INSERT INTO form_agreements (id, owner_id, form_id, version, form_name, form_text, agreement) SELECT agreement_id, owner_id, id, 1, name, text, agreement FROM forms;
INSERT INTO signups (id, form_id, owner_id, agreement_id, email, full_name, fields, topic_ids, language, created_at, confirmed_at)
SELECT n, 1, 1, 1, CASE WHEN n <> 2 THEN repeat('visitor', 8) || n || '@example.com' ELSE '' END, 'Vera ' || repeat('unbroken', 20), '{"1": "Amsterdam", "2": "Gold"}'::jsonb, ARRAY(SELECT id FROM topics WHERE owner_id = 1), 'en',
    '2026-11-01 12:00Z'::timestamptz, CASE WHEN n = 2 THEN now() END FROM generate_series(1, 12) AS n;
INSERT INTO form_days SELECT 1, current_date - n, 100 + n, 60 + n, n FROM generate_series(0, 35) AS n;
INSERT INTO consents (owner_id, client_id, kind, form_id, agreement_id, topics, source, page, ip, confirmed_ip, signed_up_at, at) VALUES
    (1, 60, 'form', 1, 1, '{News}', '', 'https://example.com/' || repeat('unbroken', 40), '203.0.113.0/24', '2001:db8:1::/48', now(), now()),
    (1, 60, 'typed', NULL, NULL, '{}', 'A card in the shop, ' || repeat('unbroken', 30), '', '', '', NULL, '2020-02-29'),
    (1, 2, 'form', 1, 1, '{}', '', '', '', '', now(), now());

INSERT INTO messages (id, owner_id, subject, body) VALUES
    (1, 1, '{{name}}, the first tulips are here', E'# Tulips\n\nDear {{name}},\n\n- red\n- yellow\n\n[Come](https://example.com)'),
    (2, 1, repeat('A subject that is far too long for any letter ', 4), 'Hello ' || repeat('unbroken', 40)),
    (3, 4, 'Of the admin', 'Hello'),
    (4, 1, 'Nobody sends this', 'Hello'),
    (5, 9, 'Of the first mailing', E'Dear {{name}},\n\ncome and see.');

INSERT INTO message_versions SELECT 1, revision, 1, 'Olga', repeat('Tulips ', revision), '', 'Hello', '', now() FROM generate_series(1, 3) AS revision;
INSERT INTO brands (owner_id, name, logo, color, ground, font, address, reason, links, revision) VALUES
    (1, 'Tulip House', '', '#b5245d', '#fbeef3', 'georgia', E'Main street 1\nDelft', 'You left us your address.', '{https://t.me/tulips}', 1);

INSERT INTO mailings (id, owner_id, message_id, name, audience, tags, start_local, end_local, timezone, periodicity, status, end_at, next_no, next_run_at, launched_at, finished_at, disabled_at, disabled_reason) VALUES
    (1, 1, 1, 'Weekly letter', 'all', '{}', '2026-01-05 09:00', NULL, 'Europe/Moscow', 'weekly', 'running', NULL, 300, '2031-10-06 06:00Z', now(), NULL, NULL, ''),
    (2, 1, 2, 'Draft of ' || repeat('something with a very long name ', 5), 'tags', '{vip,news}', '2031-01-31 09:00', '2032-01-31 09:00', 'America/Argentina/Buenos_Aires', 'monthly', 'created', '2032-01-31 12:00Z', 0, NULL, NULL, NULL, NULL, ''),
    (3, 1, 1, 'Christmas', 'picked', '{}', '2025-12-24 09:00', NULL, 'UTC', 'once', 'finished', NULL, 1, NULL, now(), now(), NULL, ''),
    (4, 1, 1, 'Disabled', 'all', '{}', '2026-01-05 09:00', NULL, 'UTC', 'daily', 'running', NULL, 2000, '2031-10-06 06:00Z', now(), NULL, now(), 'Complaints of readers, ' || repeat('unbroken', 12)),
    (5, 4, NULL, 'Without a message', 'all', '{}', '2031-01-05 09:00', NULL, 'UTC', 'daily', 'created', NULL, 0, NULL, NULL, NULL, NULL, ''),
    (8, 9, 5, 'First mailing', 'all', '{}', '2031-01-05 09:00', NULL, 'UTC', 'once', 'created', NULL, 0, NULL, NULL, NULL, NULL, ''),
    (6, 1, 1, 'Under way', 'all', '{}', '2026-01-05 09:00', NULL, 'UTC', 'monthly', 'running', NULL, 69, '2031-10-05 09:00Z', now(), NULL, NULL, ''),
    (7, 1, 1, 'Paused', 'all', '{}', '2026-01-05 09:00', NULL, 'UTC', 'monthly', 'running', NULL, 69, '2031-10-05 09:00Z', now(), NULL, NULL, '');
UPDATE mailings SET exceptions = '[{"no": 301}, {"no": 302, "to": "2031-10-21T10:00:00Z"}]' WHERE id = 1; -- a skipped date, and a moved one
INSERT INTO mailing_clients SELECT 3, i FROM generate_series(1, 30) AS i;

-- Series: one under way, with a step that asks; a draft; one that was disabled.
INSERT INTO mailings (id, owner_id, kind, name, audience, start_local, timezone, periodicity, status, launched_at, disabled_at, disabled_reason) VALUES
    (21, 1, 'series', 'Welcome', 'picked', '2026-01-05 09:00', 'Europe/Moscow', 'once', 'running', now(), NULL, ''),
    (22, 1, 'series', 'Birthday, ' || repeat('unbroken', 12), 'picked', '2026-01-05 09:00', 'Europe/Moscow', 'once', 'created', NULL, NULL, ''),
    (23, 1, 'series', 'Disabled', 'picked', '2026-01-05 09:00', 'UTC', 'once', 'running', now(), now(), 'Complaints');
INSERT INTO series (id, owner_id, entry, tag, goal_tag) VALUES (21, 1, 'tag', 'vip', 'bought'), (22, 1, 'added', '', ''), (23, 1, 'manual', '', '');
INSERT INTO series_steps (id, series_id, position, message_id, wait_days, at, weekdays, asks) VALUES
    (1, 21, 1, 1, 0, '', '{}', false), (2, 21, 2, 2, 3, '10:00', '{mon,tue,wed,thu,fri}', true), (3, 21, 3, 1, 7, '10:00', '{mon,wed}', false),
    (4, 22, 1, 1, 0, '', '{}', false), (5, 23, 1, 1, 0, '', '{}', false);
INSERT INTO series_clients (series_id, client_id, how, passed, next_step_id, due_at, left_at, left_reason)
SELECT 21, n, 'tag', CASE WHEN n < 20 THEN '{}'::bigint[] ELSE '{1}' END, CASE WHEN n > 50 THEN 0 WHEN n < 20 THEN 1 WHEN n < 40 THEN 2 ELSE 3 END,
    CASE WHEN n <= 50 THEN now() + interval '2 days' END, CASE WHEN n > 50 THEN now() END,
    CASE WHEN n > 55 THEN 'finished' WHEN n > 50 THEN (ARRAY['goal', 'removed', 'topic', 'unsubscribed', 'bounced'])[n - 50] ELSE '' END FROM generate_series(1, 60) AS n;

-- Runs: done with everything in it, missed, one with deferred emails, one paused.
INSERT INTO runs (id, mailing_id, owner_id, occurrence_no, scheduled_at, subject, body, revision, status, reason, resume_at, planned, accepted, failed, suppressed, expired, cancelled, closed_at)
SELECT n, 1, 1, n, now() - (31 - n) * interval '7 days', 'News', 'Hello', 1, 'done', '', NULL, 60, 50 - n, n, 6, 2, 2, now() - (31 - n) * interval '7 days' FROM generate_series(1, 30) AS n;
INSERT INTO runs (id, mailing_id, owner_id, occurrence_no, scheduled_at, subject, body, revision, status, reason, resume_at, planned) VALUES
    (31, 1, 1, 31, now() - interval '1 year', '', '', 0, 'missed', 'the program was not running', NULL, 0),
    (32, 6, 1, 1, now(), 'News', 'Hello', 1, 'running', '', NULL, 60),
    (33, 7, 1, 1, now(), 'News', 'Hello', 1, 'paused', '535 5.7.8 Authentication credentials invalid', now() + interval '1 day', 60);
INSERT INTO batches (run_id, first_seq, open, done, accepted, failed) VALUES (32, 1, 0, true, 40, 5), (33, 1, 60, false, 0, 0);
INSERT INTO retries (run_id, seq, due_at) SELECT 32, n, now() + interval '1 day' FROM generate_series(46, 60) AS n;
INSERT INTO deliveries (run_id, seq, client_id, email, outcome, tries)
SELECT run, n, n, 'client' || n || '@example.com', CASE
        WHEN run = 33 THEN 'queued' WHEN run = 32 AND n > 45 THEN 'deferred' WHEN n <= 40 THEN 'accepted' WHEN n <= 50 THEN 'failed'
        WHEN n <= 56 THEN 'suppressed' WHEN n <= 58 THEN 'expired' ELSE 'cancelled' END, 1
FROM unnest(ARRAY[1, 32, 33]) AS run, generate_series(1, 60) AS n;
UPDATE deliveries SET email = (SELECT email FROM clients WHERE id = 60) WHERE client_id = 60;
INSERT INTO bounces (run_id, seq, mark, kind, class, owner_id, email)
SELECT 1, n, CASE WHEN n % 4 = 0 THEN 'complained' ELSE 'bounced' END, (ARRAY['complaint', 'hard', 'soft', 'blocked'])[1 + n % 4],
    CASE WHEN n % 4 = 1 THEN 'dead' ELSE '' END, 1, 'client' || n || '@example.com' FROM generate_series(1, 40) AS n;
INSERT INTO returns (run_id, seq, kind, code, answer, raw, digest)
SELECT 1, n, 'hard', 550, '5.1.1 No such user here: ' || repeat('unbroken', 20), '', sha256(n::text::bytea) FROM generate_series(1, 40) AS n;
INSERT INTO attempts (run_id, seq, client_id, email, n, at, status, code, answer)
SELECT run_id, seq, client_id, email, 1, now(), outcome, CASE outcome WHEN 'accepted' THEN 250 WHEN 'failed' THEN 550 ELSE 451 END,
    CASE outcome WHEN 'accepted' THEN '2.0.0 Ok: queued as 12345' WHEN 'failed' THEN '5.1.1 No such user here: ' || repeat('unbroken', 20) ELSE '4.7.1 Try again later' END
FROM deliveries WHERE outcome IN ('accepted', 'failed', 'deferred');

INSERT INTO posts (id, author_id, slug, title, body, image, views, published_at) VALUES
    (1, 3, 'with-a-picture', 'How letters arrive', E'Some *words*.\n\n## A heading\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n> Quoted\n\n```\ncode\n```', '', 12345, now()),
    (2, 3, 'long', repeat('A title that goes on for ever ', 4) || repeat('unbroken', 6), repeat('unbroken', 80), '', 0, now() - interval '1 day'),
    (3, 3, 'scheduled', 'Of the future', 'Soon', '', 0, '2031-01-01'),
    (4, 3, 'draft', 'A draft', 'Not yet', '', 0, NULL);
INSERT INTO posts (author_id, slug, title, body, published_at) SELECT 3, 'post-' || n, 'Post number ' || n, 'Text', now() - n * interval '1 month' FROM generate_series(1, 30) AS n;

INSERT INTO audit (actor_id, actor, act, object, object_id, reason)
SELECT 2, 'max.manager@example.com', (ARRAY['disable', 'enable', 'block', 'unblock', 'create', 'role_user', 'role_manager', 'role_content', 'role_admin'])[1 + n % 9],
    CASE WHEN n % 9 < 2 THEN 'Weekly letter' ELSE 'olga.owner@example.com' END, 1, CASE WHEN n % 4 = 0 THEN repeat('unbroken', 30) ELSE 'A reason' END FROM generate_series(1, 60) AS n;

INSERT INTO inbox_emails (id, sender, recipient, subject, raw) SELECT n, 'SkyChimp <noreply@localhost>', 'client' || n || '@example.com', 'News number ' || n,
    convert_to(E'From: SkyChimp <noreply@localhost>\r\nTo: client@example.com\r\nSubject: News\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nHello\r\n--b\r\nContent-Type: text/html\r\n\r\n<!doctype html><html lang=en><title>News</title><p style="color: red">Hello</p></html>\r\n--b--\r\n', 'UTF8') FROM generate_series(1, 60) AS n;

-- What a mailing and a series that leave a share out have come to.
UPDATE mailings SET holdout_share = 10, holdout_seed = '\x00', holdout_tag = 'back' WHERE id IN (1, 21);
INSERT INTO holdout_clients (mailing_id, client_id, left_out, came_at)
SELECT 1, 1000000 + i, i % 10 = 0, CASE WHEN i % 10 <> 0 AND i % 4 = 0 THEN now() END FROM generate_series(1, 1000) AS i;
INSERT INTO holdout_clients (mailing_id, client_id, left_out, came_at) SELECT 21, 1000000 + i, i % 10 = 0, CASE WHEN i % 7 = 0 THEN now() END FROM generate_series(1, 100) AS i;
