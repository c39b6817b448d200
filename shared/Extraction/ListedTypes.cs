using FeedbackLoop.Pii;

namespace FeedbackLoop.Extraction;

/// <summary>
/// What of a project's types a prompt lists. Decides and does nothing else, by the types alone: a prompt is the same in
/// training and in use, whatever an export does with personal data in texts, and everybody who may extract sees it.
/// </summary>
public static class ListedTypes
{
    public const string Entity = "entity";
    public const string Relationship = "relationship";

    public static ExtractionTypes Of(TypeCandidates entities, TypeCandidates relationships)
    {
        var choice = new Choice();
        var named = (
            Entities: choice.Take(entities, Entity), Relationships: choice.Take(relationships, Relationship));
        return choice.WithoutPersonalData(
            choice.Describe(named.Entities, Entity), choice.Describe(named.Relationships, Relationship));
    }

    /// <summary>One project's, with what is left out and the room that is left.</summary>
    private sealed class Choice
    {
        private readonly List<LeftOutType> _leftOut = [];
        private readonly HashSet<(string Kind, string Type)> _shortened = [];
        private int _room = PromptLimits.MostText;
        private long _unlisted;
        private int _repeated;

        public List<TypeCandidate> Take(TypeCandidates candidates, string kind)
        {
            var taken = new List<TypeCandidate>();
            var written = new HashSet<string>(StringComparer.Ordinal);
            var compared = new HashSet<string>(StringComparer.Ordinal);
            foreach (var candidate in candidates.Types)
            {
                var name = ComparedText.Spelling(candidate.Name);
                var isNew = written.Add(candidate.Name);
                if (name.Length == 0)
                {
                    continue;
                }

                if (!compared.Add(ComparedText.Type(name)))
                {
                    // The same type of two schema packs is one type, and nothing to speak of.
                    _repeated += isNew && candidate.IsRegistered ? 1 : 0;
                    continue;
                }

                var reason = TypeRule.Refuse(name)
                    ?? (taken.Count == PromptLimits.MostTypes ? LeftOutReason.TooMany : null);
                if (reason is null)
                {
                    taken.Add(candidate with { Name = name });
                }
                else
                {
                    _unlisted++;
                    Add(kind, TypeRule.Shown(name), LeftOutType.WholeType, reason);
                }
            }

            _unlisted += Math.Max(0, candidates.Total - candidates.Types.Count);
            return taken;
        }

        public List<ExtractionType> Describe(IReadOnlyList<TypeCandidate> types, string kind) =>
        [
            .. types.Select(type => new ExtractionType(type.Name, Description(type, kind), Fields(type, kind)))
                .OrderBy(type => type.Name, StringComparer.Ordinal),
        ];

        /// <summary>
        /// Parts that say nothing by themselves may say it together, as a type "Phone" before one that is a number.
        /// What of the whole instruction would be found goes with its types.
        /// </summary>
        public ExtractionTypes WithoutPersonalData(List<ExtractionType> entities, List<ExtractionType> relationships)
        {
            while (Found(ExtractionPrompt.For(new(entities, relationships)).System) is { Count: > 0 } lines
                && Remove(entities, Entity, lines) + Remove(relationships, Relationship, lines) > 0)
            {
            }

            return new(entities, relationships)
            {
                LeftOut = _leftOut,
                UnlistedTypes = _unlisted,
                ShortenedTypes = _shortened.Count,
                Repeated = _repeated,
            };
        }

        private string Description(TypeCandidate type, string kind)
        {
            var whole = PromptText.OneLine(type.Description);
            var redacted = PiiScanner.Default.Redact(whole);
            if (redacted != whole)
            {
                AddPart(kind, type.Name, LeftOutType.Description, LeftOutReason.PersonalData);
            }

            var shown = PromptText.Cut(redacted, PromptLimits.LongestDescription);
            if (shown != redacted)
            {
                AddPart(kind, type.Name, LeftOutType.Description, LeftOutReason.TooLong);
            }

            if (shown.Length > _room)
            {
                AddPart(kind, type.Name, LeftOutType.Description, LeftOutReason.TooMany);
                return "";
            }

            _room -= shown.Length;
            return shown;
        }

        private List<string> Fields(TypeCandidate type, string kind)
        {
            if (type.IsSchemaTooLong)
            {
                AddPart(kind, type.Name, LeftOutType.Field, LeftOutReason.TooLong);
            }

            var fields = new List<string>();
            foreach (var field in type.Fields)
            {
                var shown = field.ToString();
                var reason = TypeRule.Refuse(field.Name)
                    ?? (fields.Count == PromptLimits.MostFields || shown.Length > _room ? LeftOutReason.TooMany : null);
                if (reason is not null)
                {
                    AddPart(kind, type.Name, LeftOutType.Field, reason);
                    continue;
                }

                _room -= shown.Length;
                fields.Add(shown);
            }

            return fields;
        }

        private int Remove(List<ExtractionType> types, string kind, HashSet<string> lines) => types.RemoveAll(type =>
        {
            var isFound = lines.Contains(ExtractionPrompt.Line(type));
            if (isFound)
            {
                _unlisted++;
                Add(kind, TypeRule.Shown(type.Name), LeftOutType.WholeType, LeftOutReason.PersonalData);
            }

            return isFound;
        });

        private static HashSet<string> Found(string prompt)
        {
            var lines = new HashSet<string>(StringComparer.Ordinal);
            foreach (var match in PiiScanner.Default.Find(prompt))
            {
                var start = prompt.LastIndexOf('\n', match.Start) + 1;
                var end = prompt.IndexOf('\n', match.End);
                lines.UnionWith(prompt[start..(end < 0 ? prompt.Length : end)].Split('\n'));
            }

            return lines;
        }

        private void AddPart(string kind, string type, string part, string reason)
        {
            _shortened.Add((kind, type));
            Add(kind, type, part, reason);
        }

        private void Add(string kind, string type, string part, string reason)
        {
            if (_leftOut.Count < PromptLimits.MostNamed)
            {
                _leftOut.Add(new(kind, type, part, reason));
            }
        }
    }
}
