-- What every customer has spent.
SELECT $customer, $amount AS total
WHERE $amount >;
