CREATE TABLE IF NOT EXISTS {{ table.name | identifier }} (
{%- for column in table.columns %}
    {{ column.name | identifier }} {{ column.type }}
    {%- if not column.nullable %} NOT NULL{% endif %}
    {%- if not loop.last or table.key %},{% endif %}
{%- endfor %}
{%- if table.key %}
    {# A key that may be NULL is no PRIMARY KEY: SQLite would number the rows of a lone INTEGER itself. -#}
    {% if table.key_is_nullable %}UNIQUE{% else %}PRIMARY KEY{% endif %} (
    {%- for name in table.key %}{{ name | identifier }}{% if not loop.last %}, {% endif %}{% endfor %})
{%- endif %}
);
