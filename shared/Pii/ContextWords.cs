namespace FeedbackLoop.Pii;

/// <summary>
/// The words that say what a number is, in English, German, French and Spanish, with the commonest Italian, Portuguese,
/// Dutch, Polish and Swedish ones. German compounds are whole words here.
/// </summary>
internal static class ContextWords
{
    public static readonly WordSet Card = new("""
        card, cards, cardnumber, credit, debit, creditcard, cc, ccn, pan, cvv, cvc, visa, mastercard, master, amex,
        american express, maestro, diners, jcb, unionpay, rupay,
        kreditkarte, kreditkarten, kreditkartennummer, kartennummer, karte, bankkarte, debitkarte, girokarte,
        carte, cartes, carte bancaire, cb, crédit, débit,
        tarjeta, tarjetas, crédito, débito, carta, cartão, creditcardnummer, kaart, kaartnummer, karta, karty, kort,
        kortnummer
        """);

    public static readonly WordSet SocialSecurity = new("""
        ssn, ssns, itin, itins, social security, socialsecurity, socialsecuritynumber, taxpayer,
        sozialversicherungsnummer, sozialversicherung, sozialversicherungsnr,
        sécurité sociale, securite sociale, seguro social, seguridad social,
        previdenza sociale, sicurezza sociale, segurança social
        """);

    public static readonly WordSet Phone = new("""
        phone, phones, phonenumber, phoneno, workphone, homephone, officephone, telephone, telephones, tel, tels,
        telephonenumber, telno, mobilenumber, mobileno, faxnumber, faxno,
        cellnumber, mobile, mobilephone, cell, cellphone, cellular, fax,
        call, calls, calling, called, dial, dialled, dialed, whatsapp, sms, contact, hotline, helpline, landline,
        voicemail, ring, reach, texted, telefax, rang,
        telefon, telefonnummer, telefonisch, rufnummer, handy, handynummer, mobil, mobilnummer, mobiltelefon, faxnummer,
        anrufen, angerufen, rückruf, rueckruf, durchwahl, erreichbar, erreichen, festnetz, fon, zentrale,
        téléphone, téléphonique, tél, portable, appeler, appelez, appelé, appel, rappeler, rappelez, joindre, joignable,
        télécopie, ligne fixe,
        teléfono, teléfonos, telefono, tfno, tlf, tlfno, móvil, movil, celular, llamar, llame, llama, llámame, llámanos,
        llamada, contacto,
        cellulare, chiamare, chiami, recapito, telefone, telemóvel, ligar, ligue, contato,
        telefoon, telefoonnummer, mobiel, bellen, komórka, komórkowy, zadzwoń, telefonu, telefonnummer, mobilnummer
        """);

    public static readonly WordSet Bank = new("""
        iban, ibans, bank, account, konto, kontonummer, bankverbindung, compte, banque, cuenta, banco, conto, banca,
        rekening, rachunek
        """);

    public static readonly WordSet IpAddress = new("""
        ip, ips, ipaddress, ipaddr, clientip, remoteip, address, addresses, addr, host, hosts, server, servers, dns,
        gateway, subnet, ping, router, client,
        clients, peer, node, firewall, proxy, vpn, network, remote, listen, bind, connect, connected, adresse, adressen,
        serveur, dirección, servidor, netzwerk, rechner
        """);

    /// <summary>Words before a dotted number that is a version, a section or a classification.</summary>
    public static readonly WordSet DottedNumber = new("""
        version, versions, ver, release, releases, build, builds, rev, revision, firmware, update, upgrade, upgraded,
        patch, patched, assembly, fileversion, assemblyversion, package, packageversion, driver, sdk, kernel, bios,
        section, sections, clause, chapter, paragraph, para, sec, figure, fig, table, appendix, article,
        ec, oid, enzyme, class, ausgabe, fassung, abschnitt, kapitel, ziffer, tabelle, abbildung, versión, sección,
        capítulo,
        apartado, tabla, chapitre, tableau, alinéa, mise
        """);

    /// <summary>Words before a number that is the name of a thing, not of a person.</summary>
    public static readonly WordSet ThingNumber = new("""
        order, orders, invoice, invoices, ref, refs, reference, references, ticket, tickets, case, serial, part, parts,
        sku,
        isbn, issn, ean, upc, gtin, doi, pmid, patent, patents, tracking, shipment, parcel, consignment, batch, lot,
        article, product, model, catalog, catalogue, docket, id, ids, identifier, key, code, timestamp, epoch, barcode,
        imei, imeisv, iccid, sim, cas, licence, license, permit, claim, policy, transaction, txn, receipt, hash,
        checksum, orderid, ordernumber, orderno, invoiceid,
        invoicenumber, invoiceno, trackingnumber, transactionid, ticketid, productid, itemid, batchid, postal, zip,
        grant, contract, asset, vin, commit, nct,
        population, volume, total, sum, budget, revenue, seed,
        bestellung, bestellnummer, bestellnr, auftrag, auftragsnummer, auftragsnr, rechnung, rechnungsnummer,
        rechnungsnr,
        artikel, artikelnummer, artikelnr, aktenzeichen, az, vorgang, vorgangsnummer, sendung, sendungsnummer, paket,
        seriennummer, chargennummer, kundennummer, vertragsnummer, matrikelnummer, teilenummer, teil, typ,
        patentschrift,
        commande, facture, réf, référence, dossier, colis, série, pièce, billet, suivi, lote, pedido,
        factura, referencia, expediente, artículo, serie, envío, albarán, pieza, boleto, código, ordine, fattura,
        riferimento, lotto, pratica
        """);

    /// <summary>
    /// Words between such a word and its number: "order number 12", "reference is 12". Any other word ends the phrase.
    /// </summary>
    public static readonly WordSet Between = new("""
        no, nr, nos, number, numbers, num, nbr, n, nº, nummer, numéro, numero, número, code, id, is, was, are, has,
        the, of, to, and, us, ep,
        ist, lautet, war, mit, der, die, das, est, était, de, le, la, es, era, el, è, il
        """);

    /// <summary>Units and nouns of quantity that follow a number.</summary>
    public static readonly WordSet Unit = new("""
        mg, g, kg, t, µg, ug, ng, ml, l, µl, ul, nm, mm, cm, m, km, µm, um, mol, mmol, m², km², ns, h, hr, hrs,
        min,
        sec, seconds, minutes, hours, days, years, k, j, kj, ev, w, kw, mw, gw, wh, kwh, v, mv, kv, ma, hz, khz,
        mhz, ghz,
        pa, kpa, mpa, bar, mbar, torr, psi, ppm, ppb, wt, vol, rpm, kb, mb, gb, tb, kib, mib, gib, byte, bytes, bits,
        bps,
        kbps, mbps, px, pixels, people, inhabitants, units, pieces, items, rows, records, times, votes, copies, percent,
        million, millions, billion, miles, feet, ft, acres, hectares, usd, eur, gbp, chf, jpy, euro, euros, dollars,
        pounds, yen, einwohner, stück, prozent, millionen, habitants, habitantes, unidades, tokens, lines, chars,
        characters
        """);
}
