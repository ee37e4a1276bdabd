CREATE TABLE IF NOT EXISTS {{ table.name | identifier }} (
{%- for column in table.columns %}
    {{ column.name | identifier }} {{ column.type }}
    {%- if not column.nullable %} NOT NULL{% endif %}
    {%- if not loop.last or table.key %},{% endif %}
{%- endfor %}
{%- if table.key %}
    {# Two missing keys are one key, which needs PostgreSQL 15. -#}
    {% if table.key_is_nullable %}UNIQUE NULLS NOT DISTINCT{% else %}PRIMARY KEY{% endif %} (
    {%- for name in table.key %}{{ name | identifier }}{% if not loop.last %}, {% endif %}{% endfor %})
{%- endif %}
);
{%- if table.comment %}
COMMENT ON TABLE {{ table.name | identifier }} IS {{ table.comment | literal }};
{%- endif %}
{%- for column in table.columns if column.comment %}
COMMENT ON COLUMN {{ table.name | identifier }}.{{ column.name | identifier }} IS {{ column.comment | literal }};
{%- endfor %}
