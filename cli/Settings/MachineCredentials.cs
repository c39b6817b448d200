using FeedbackLoop.GoogleCloud;
using Google.Apis.Auth.OAuth2;

namespace FeedbackLoop.Cli.Settings;

/// <summary>The Google credentials of this machine.</summary>
internal static class MachineCredentials
{
    /// <exception cref="CommandException">There are none.</exception>
    public static GoogleCredential Find()
    {
        try
        {
            return GoogleCredential.GetApplicationDefault().CreateScoped(GoogleAccess.Scope);
        }
        catch (Exception e) when (e.GetBaseException() is InvalidOperationException or IOException)
        {
            throw new CommandException(
                ExitCode.Failed, "there are no Google credentials on this machine",
                "Run: gcloud auth application-default login, or set GOOGLE_APPLICATION_CREDENTIALS.", e);
        }
    }
}
