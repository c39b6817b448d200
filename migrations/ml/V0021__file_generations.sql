-- Which version of each file a dataset is: Cloud Storage keeps a name's versions apart by their generation. What reads a file
-- later asks for this one and compares its hash. Null in rows from before; those are known by their hash alone.

alter table ml.datasets
    add column validation_generation bigint,
    add column test_generation       bigint,
    add constraint validation_generation_of_a_file check (validation_generation is null or validation_uri is not null),
    add constraint test_generation_of_a_file check (test_generation is null or test_uri is not null);
