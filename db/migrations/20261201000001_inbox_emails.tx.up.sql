ALTER TABLE inbox_letters RENAME TO inbox_emails;
ALTER INDEX inbox_letters_pkey RENAME TO inbox_emails_pkey;
ALTER SEQUENCE inbox_letters_id_seq RENAME TO inbox_emails_id_seq;
