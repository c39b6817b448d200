using Dapper;
using FeedbackLoop.Platform;
using FeedbackLoop.Runs;
using Npgsql;

namespace FeedbackLoop.Scheduling;

/// <summary>Every statement that touches <c>ml.training_schedules</c>: here what people set, in the other part the tick.</summary>
public static partial class ScheduleQueries
{
    private const string Columns =
        """
        s.id, s.organization_id, s.project_id, s.enabled, s.threshold_enabled, s.threshold_count, s.cron_enabled,
        s.cron_expression, s.time_zone, s.retrain_on_general_update, s.notify_project_admins, s.retrain_projects,
        s.monthly_limit_usd, s.pii_floor, s.parameters::text as parameters_json, s.active_since, s.next_scheduled_at,
        s.next_check_at, s.open_run_id, s.retries, s.tried_examples, s.tried_at, s.answered_model_id, s.last_training_at,
        s.last_example_count, s.last_decision, s.last_decision_reason, s.last_decision_at, s.row_version, s.created_at,
        s.updated_at
        """;

    /// <returns>Null when nobody has set one.</returns>
    public static Task<Schedule?> FindScheduleAsync(
        this NpgsqlConnection db, Scope scope, CancellationToken cancellationToken)
    {
        const string sql =
            $"""
            select {Columns}
            from   ml.training_schedules s
            where  s.organization_id = @OrganizationId
            and    s.project_id is not distinct from @ProjectId
            """;

        return db.QuerySingleOrDefaultAsync<Schedule>(Sql.Command(sql, scope, cancellationToken));
    }

    /// <summary>Adds the scope's first settings.</summary>
    /// <returns>False when the scope has some already.</returns>
    internal static async Task<bool> InsertScheduleAsync(
        this NpgsqlConnection db, Schedule schedule, CancellationToken cancellationToken)
    {
        const string sql =
            """
            insert into ml.training_schedules (
                id, organization_id, project_id, enabled, threshold_enabled, threshold_count, cron_enabled,
                cron_expression, time_zone, retrain_on_general_update, notify_project_admins, retrain_projects,
                monthly_limit_usd, pii_floor, parameters, active_since, next_scheduled_at, next_check_at, row_version,
                created_at, updated_at)
            values (
                @Id, @OrganizationId, @ProjectId, @Enabled, @ThresholdEnabled, @ThresholdCount, @CronEnabled,
                @CronExpression, @TimeZone, @RetrainOnGeneralUpdate, @NotifyProjectAdmins, @RetrainProjects,
                @MonthlyLimitUsd, @PiiFloor, @ParametersJson::jsonb, @ActiveSince, @NextScheduledAt, @NextCheckAt,
                @RowVersion, @CreatedAt, @UpdatedAt)
            on     conflict (organization_id, project_id) do nothing
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new DynamicParameters(schedule), cancellationToken)) == 1;
    }

    /// <summary>Changes the settings of a row that is still of the version before.</summary>
    /// <returns>False when somebody else was faster.</returns>
    internal static async Task<bool> UpdateScheduleAsync(
        this NpgsqlConnection db, Schedule schedule, CancellationToken cancellationToken)
    {
        const string sql =
            """
            update ml.training_schedules
            set    enabled                   = @Enabled,
                   threshold_enabled         = @ThresholdEnabled,
                   threshold_count           = @ThresholdCount,
                   cron_enabled              = @CronEnabled,
                   cron_expression           = @CronExpression,
                   time_zone                 = @TimeZone,
                   retrain_on_general_update = @RetrainOnGeneralUpdate,
                   notify_project_admins     = @NotifyProjectAdmins,
                   retrain_projects          = @RetrainProjects,
                   monthly_limit_usd         = @MonthlyLimitUsd,
                   pii_floor                 = @PiiFloor,
                   parameters                = @ParametersJson::jsonb,
                   active_since              = @ActiveSince,
                   next_scheduled_at         = @NextScheduledAt,
                   next_check_at             = @NextCheckAt,
                   open_run_id               = case when @Enabled then open_run_id end,
                   retries                   = case when @Enabled then retries else 0 end,
                   row_version               = @RowVersion,
                   updated_at                = @UpdatedAt
            where  id = @Id
            and    row_version = @RowVersion - 1
            """;

        return await db.ExecuteAsync(Sql.Command(sql, new DynamicParameters(schedule), cancellationToken)) == 1;
    }
}
