INSERT INTO account (id, funds) VALUES ($sender, 5000) ON CONFLICT (id) DO NOTHING;

SELECT
  $id AS id,
  $sender AS account,
  $amount AS amount,
  funds,
  iif($amount <= funds, 'approved', 'denied') AS outcome
FROM account
WHERE id = $sender;

UPDATE account SET funds = funds - $amount WHERE id = $sender AND $amount <= funds;
