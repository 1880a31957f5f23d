-- What a mailbox shows beside the subject ('': the first sentence that says something).
ALTER TABLE messages ADD preheader text NOT NULL DEFAULT '';
ALTER TABLE runs ADD preheader text NOT NULL DEFAULT '';
