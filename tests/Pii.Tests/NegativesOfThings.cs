namespace FeedbackLoop.Pii.Tests;

/// <summary>Names of things: orders, parts, books, commits, versions, sections, machines.</summary>
internal static class NegativesOfThings
{
    public static string OrderNumber(Dice dice) => dice.Pick(
        "Your order {0} has shipped.", "Order no. {0}", "Bestellung {0} vom 3. Mai", "Ihre Bestellnummer lautet {0}.",
        "commande n° {0}", "pedido {0} enviado", "Invoice {0} is due on 2021-04-01.", "Rechnung Nr. {0}",
        "tracking number {0}", "{{\"orderId\": {0}}}", "transaction id {0}", "batch {0} of 2020")
        .Replace("{0}", dice.Digits(dice.Pick(8, 10, 12, 16, 16, 18)), StringComparison.Ordinal)
        .Replace("{{", "{", StringComparison.Ordinal).Replace("}}", "}", StringComparison.Ordinal);

    public static string Ticket(Dice dice) => dice.Pick(
        $"See JIRA-{dice.Digits(6)} and INC{dice.Digits(10)}.", $"Fixes #{dice.Digits(8)}",
        $"ticket {dice.Digits(9)} is closed",
        $"Vorgang {dice.Digits(4)}-{dice.Digits(6)}", $"case {dice.Digits(3)}-{dice.Digits(7)}",
        $"RFC-{dice.Digits(4)}-{dice.Digits(4)}");

    public static string PartNumber(Dice dice) => dice.Pick(
        $"Use part {dice.Digits(3)}-{dice.Digits(4)}-{dice.Digits(3)} only.",
        $"AB-{dice.Digits(4)}-{dice.Digits(4)} fits",
        $"P/N {dice.Letters(2)}{dice.Digits(8)}", $"Teil {dice.Digits(2)}.{dice.Digits(5)}.{dice.Digits(4)}",
        $"{dice.Digits(6)}-{dice.Letters(1)}-{dice.Digits(6)}",
        $"model {dice.Digits(4)}/{dice.Digits(4)}-{dice.Digits(2)}",
        $"référence {dice.Digits(3)} {dice.Digits(3)} {dice.Digits(4)}", $"SKU {dice.Digits(12)}");

    public static string Isbn(Dice dice) => dice.Pick(
        $"ISBN 978-{dice.Digits(1)}-{dice.Digits(4)}-{dice.Digits(4)}-{dice.Digits(1)}", $"ISBN 978{dice.Digits(10)}",
        $"ISBN-10: {dice.Digits(1)}-{dice.Digits(3)}-{dice.Digits(5)}-{dice.Digits(1)}",
        $"ISSN {dice.Digits(4)}-{dice.Digits(4)}",
        $"979-{dice.Digits(2)}-{dice.Digits(5)}-{dice.Digits(2)}-{dice.Digits(1)}",
        $"({dice.Digits(1)}-{dice.Digits(4)}-{dice.Digits(4)}-X)");

    public static string BarCode(Dice dice) => dice.Pick(
        $"EAN {dice.Pick("400", "978", "501", "301")}{dice.Digits(10)}", $"Scan {dice.Digits(13)} at the till.",
        $"UPC {dice.Digits(12)}", $"barcode 4{dice.Digits(12)} unreadable", $"GTIN 0{dice.Digits(13)}",
        $"9 {dice.Digits(6)} {dice.Digits(6)}");

    public static string Uuid(Dice dice) =>
        $"{dice.Pick("id ", "run=", "/v1/", "", "urn:uuid:")}{dice.Hex(8)}-{dice.Hex(4)}-4{dice.Hex(3)}-a{dice.Hex(3)}-"
        + (dice.OneIn(3) ? dice.Digits(12) : dice.Hex(12));

    public static string Hash(Dice dice) => dice.Pick(
        $"sha256:{dice.Hex(64)}", $"commit {dice.Hex(40)}", $"({dice.Hex(7)}) first draft", $"etag \"{dice.Hex(32)}\"",
        $"image@sha256:{dice.Hex(64)}", $"md5 {dice.Hex(32)} of 2019");

    public static string Imei(Dice dice) =>
        $"{dice.Pick("IMEI ", "imei: ", "The IMEI is ")}{CardSamples.Number(dice, dice.Pick("35", "86", "01"), 15)}";

    public static string Licence(Dice dice) => dice.Pick(
        $"driving licence {dice.Digits(10)}", $"License number {dice.Letters(1)}{dice.Digits(7)}",
        $"permit {dice.Digits(4)}-{dice.Digits(5)}",
        $"policy {dice.Digits(10)} was renewed",
        $"Aktenzeichen {dice.Digits(2)} O {dice.Digits(4)}/{dice.Between(10, 24)}",
        $"patent US {dice.Digits(1)},{dice.Digits(3)},{dice.Digits(3)}", $"Patent EP{dice.Digits(7)}");

    public static string Reference(Dice dice)
    {
        var label = dice.Pick(
            "ref", "Ref.", "reference no.", "our ref:", "Order", "référence", "Artikel", "expediente", "ticket",
            "part");
        var sign = dice.Pick("-", "-", " ", ".");
        return $"{label} {dice.Between(100, 899)}{sign}{dice.Digits(2)}{sign}{dice.Digits(4)}";
    }

    public static string Doi(Dice dice) => dice.Pick(
        $"10.1002/adma.{dice.Digits(9)}",
        $"doi:10.{dice.Digits(4)}/s{dice.Digits(5)}-{dice.Digits(3)}-{dice.Digits(4)}-{dice.Digits(1)}",
        $"arXiv:{dice.Digits(4)}.{dice.Digits(5)}", $"PMID {dice.Digits(8)}",
        $"CAS {dice.Digits(5)}-{dice.Digits(2)}-{dice.Digits(1)}",
        $"CCDC {dice.Digits(7)}", $"JP{dice.Digits(4)}-{dice.Digits(6)}A", $"NCT{dice.Digits(8)}");

    public static string Version(Dice dice)
    {
        var version = $"{dice.Between(1, 30)}.{dice.Between(0, 20)}.{dice.Between(0, 200)}.{dice.Between(0, 250)}";
        return dice.Pick(
            "version {0}", "v{0} fixes it", "Upgraded to release {0} in 2022.", "Chrome/{0} Safari", "build {0} failed",
            "firmware {0}", "Version: {0}", "tool-{0}.zip", "{0}-beta2 is out", "Ausgabe {0}", "versión {0}",
            "Package={0}",
            "FileVersion {0}", "the driver (ver. {0})", "patch {0} notes").Replace("{0}", version,
            StringComparison.Ordinal);
    }

    public static string Section(Dice dice)
    {
        var number = $"{dice.Between(1, 12)}.{dice.Between(1, 9)}.{dice.Between(1, 9)}.{dice.Between(1, 9)}";
        return dice.Pick(
            "Section {0} applies.", "{0} Scope of the tests", "see § {0}", "EC {0} (a dehydrogenase)", "Table {0}",
            "Abschnitt {0}",
            "clause {0} of the contract", "OID {0}.4.1.311", "Figure {0}: flow", "chapitre {0}").Replace("{0}", number,
            StringComparison.Ordinal);
    }

    public static string Hardware(Dice dice)
    {
        var bytes = Enumerable.Range(0, dice.Pick(6, 8, 20)).Select(_ => dice.Hex(2));
        return $"{dice.Pick("MAC ", "", "WWN ", "fingerprint ")}{string.Join(dice.Pick(":", "-"), bytes)}";
    }

    public static string CodeWithAtSign(Dice dice) => dice.Pick(
        $"@user{dice.Digits(4)} said so", $"react@{dice.Digits(2)}.{dice.Digits(1)}.{dice.Digits(1)}",
        $"npm i @scope/pkg@{dice.Digits(1)}.0.1-rc.a",
        $"icon@{dice.Between(2, 4)}x.{dice.Pick("png", "avif", "heic", "de.svg", "mov")}", "git@host.example:team/repo.git",
        $"deploy@host{dice.Digits(1)}.example:team/repo.git", $"scp ops@db{dice.Digits(1)}.example.com:/var/log/x{dice.Digits(2)} .",
        $"https://user{dice.Digits(2)}@host.example.com/a", "@Override public void run()",
        $"{dice.Between(1, 9)} items @ 4.99",
        "root@localhost", "foo @ bar . com", "a@b", "@media (max-width: 600px)", "user@-x.y",
        $"std::array<int, {dice.Digits(2)}>",
        "name@.com", $"{dice.Digits(3)}@{dice.Digits(3)}.{dice.Digits(2)}");

    public static string Address(Dice dice) => dice.Pick(
        $"{dice.Digits(4)} Elm Street, Springfield {dice.Digits(5)}-{dice.Digits(4)}",
        $"Hauptstraße {dice.Between(1, 200)}, {dice.Digits(5)} Köln",
        $"{dice.Between(1, 90)}, rue de la Paix, {dice.Digits(5)} Paris", $"PO Box {dice.Digits(5)}",
        $"Flat {dice.Between(1, 90)}, {dice.Between(1, 300)} High Road",
        $"Calle Mayor {dice.Between(1, 90)}, {dice.Digits(5)} Madrid",
        $"{dice.Digits(5)} {dice.Digits(4)} {dice.Letters(2)}");
}
