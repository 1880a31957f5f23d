DROP TABLE audit, posts, import_errors, imports, inbox_letters, attempts, blocks, instances, retries,
    deliveries, runs, mailing_clients, mailings, messages, clients, tokens, sessions, users;
