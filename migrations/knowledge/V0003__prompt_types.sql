-- An extraction worker that is not ours is told the prompt, whose types the API reads. Both generations of the product's
-- tables, as far as they are there.
do $$
declare
    source text;
begin
    foreach source in array array['graph_relationships', 'project_object_type_registry', 'project_template_packs',
                                  'graph_template_packs', 'project_object_schema_registry', 'project_schemas',
                                  'graph_schemas'] loop
        if to_regclass('kb.' || source) is not null then
            execute format('grant select on kb.%I to app_api', source);
        end if;
    end loop;
end
$$;
