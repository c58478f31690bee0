-- Where usage goes that comes when a cycle of the customer is closed: `next`, `correct`, or nothing for what the configuration says.
ALTER TABLE customers ADD COLUMN late_usage TEXT NOT NULL DEFAULT '';
