using System.Text;
using System.Text.Encodings.Web;

namespace FeedbackLoop.Local.Identity;

/// <summary>The HTML of the identity server; every text is encoded on its way in.</summary>
internal static class IdentityPages
{
    public const string Style =
        """
        :root { color-scheme: light dark; }
        body { font: 1rem/1.5 system-ui, sans-serif; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
        ul { list-style: none; padding: 0; }
        li { margin: 1rem 0; padding: 1rem; border: 1px solid; border-radius: .5rem; }
        p { margin: .25rem 0; }
        button { font: inherit; padding: .5rem 1rem; min-height: 2.75rem; cursor: pointer; }
        button:focus-visible { outline: 3px solid; outline-offset: 2px; }
        pre { overflow-x: auto; padding: .5rem; border: 1px dashed; }
        """;

    /// <summary>One button a person; each sends the request for a login on, with the person chosen.</summary>
    public static string Choice(
        IEnumerable<IdentityPerson> people, IEnumerable<KeyValuePair<string, string>> request) =>
        Page("Log in", "Development only: choose who you are. No password is asked.", people, person =>
            $"""
            <form method="post" action="/authorize">
            {Hidden(request)}<input type="hidden" name="subject" value="{Encode(person.Subject)}">
            <button type="submit">Continue as {Encode(person.Name)}</button>
            </form>
            """);

    /// <param name="tokenAddress">Of the token endpoint.</param>
    public static string People(IEnumerable<IdentityPerson> people, Uri tokenAddress) =>
        Page("People", "Development only: everybody on this machine can become any of these.", people, person =>
            $"""
            <p>A token for the command line:</p>
            <pre><code>{Encode(CommandLine(person, tokenAddress))}</code></pre>
            """);

    public static string Message(string title, string text) => Document(title, $"<p>{Encode(text)}</p>");

    private static string Page(
        string title, string text, IEnumerable<IdentityPerson> people, Func<IdentityPerson, string> action)
    {
        var list = new StringBuilder();
        foreach (var person in people)
        {
            list.Append("<li><p><strong>").Append(Encode(person.Name)).Append("</strong></p><p>")
                .Append(Encode(person.Roles)).Append("</p>").Append(action(person)).AppendLine("</li>");
        }

        return Document(title, list.Length == 0
            ? "<p>There is nobody yet.</p>"
            : $"<p>{Encode(text)}</p><ul>{list}</ul>");
    }

    private static string CommandLine(IdentityPerson person, Uri tokenAddress)
    {
        // Single quotes take everything as it is but a single quote.
        var subject = person.Subject.Replace("'", "'\\''", StringComparison.Ordinal);
        return $"TOKEN=$(curl -s -H 'Accept: text/plain' -d grant_type=password --data-urlencode 'username={subject}' "
            + $"{tokenAddress})";
    }

    private static string Hidden(IEnumerable<KeyValuePair<string, string>> members) =>
        string.Concat(members.Select(member =>
            $"""<input type="hidden" name="{Encode(member.Key)}" value="{Encode(member.Value)}">{'\n'}"""));

    private static string Document(string title, string body) =>
        $"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>{Encode(title)} – feedback loop, development</title>
        <link rel="stylesheet" href="/page.css">
        </head>
        <body>
        <main>
        <h1>{Encode(title)}</h1>
        {body}
        </main>
        </body>
        </html>
        """;

    private static string Encode(string text) => HtmlEncoder.Default.Encode(text);
}
