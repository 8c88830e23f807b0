# ruff: noqa: E501 (patterns are easier to check with their words unbroken)
"""How orders to a language model are worded in other languages than English."""

FOREIGN_FORMS: tuple[tuple[str, str], ...] = (
    (
        "override",
        r"\b(?:ignorier(?:e|en|t)?|vergiss|vergessen|missachte|missachten|überschreibe?) (?:sie )?"
        r"(?:bitte )?(?:alle|alles|die|deine|ihre|sämtliche|den|das)[^.\n]{0,30}(?:anweisung|instruktion|"
        r"aufgabe|befehl|regel|vorgabe|davor|prompt|zuvor|gesagt|training|systemnachricht)",
    ),
    (
        "override",
        r"\b(?:ignore[zr]?|oublie[zr]?|négligez?|ne (?:tiens|tenez) pas compte de) (?:bien )?(?:de )?"
        r"(?:toutes?|tous|tout|les?|vos|tes|ce qui)[^.\n]{0,30}(?:instructions?|consignes?|ordres?|"
        r"directives?|règles?|précéde|avant|prompt)",
    ),
    (
        "override",
        r"(?<!no )\b(?:ignor[ae](?:r|d|n)?|olvid[ae](?:r|n)?|olvídate de|descarta|omite) (?:por favor )?(?:todas?|"
        r"todos?|todo|las?|los?|tus|sus|lo)[^.\n]{0,30}(?:instrucciones|órdenes|ordenes|indicaciones|"
        r"reglas|directrices|anterior|prompt|tareas)",
    ),
    (
        "override",
        r"\b(?:ignora(?:te)?|dimentica(?:te)?|ignore|esqueça|desconsidere) (?:tutt[eoi]|le|gli|i|ogni|"
        r"todas?|todos?|tudo|as|os|suas?)[^.\n]{0,30}(?:istruzioni|ordini|regole|precedent|instruções|"
        r"ordens|regras|anterior|comandi|prompt)",
    ),
    (
        "override",
        r"\b(?:negeer|vergeet|zignoruj|ignoruj|zapomnij|ignorera|glöm|ignorer|glem) [^.\n]{0,30}"
        r"(?:instructies|opdrachten|regels|instrukcj|polece|instruktion|anvisning|instrukser|regler)",
    ),
    (
        "override",
        r"(?<!не )(?:игнорируй|забудь|проигнорируй|не обращай внимания на)(?:те)?[^.\n]{0,40}(?:инструкци|указани|"
        r"команд|правил|сказано|промпт)",
    ),
    (
        "override",
        r"(?:忽略|无视|忘记|忽視|無視|忘掉)[^。\n]{0,12}(?:指令|指示|提示|规则|命令|要求)|"
        r"(?:指示|命令|ルール|プロンプト)[^。\n]{0,10}(?:無視|忘れ)|"
        r"(?:지시|명령|규칙|프롬프트)[^.\n]{0,10}(?:무시|잊)",
    ),
    (
        "override",
        r"(?:تجاهل|انس)[^.\n]{0,20}(?:تعليمات|أوامر|التعليمات|الأوامر)|"
        r"(?:התעלם|שכח)[^.\n]{0,20}(?:הוראות|ההוראות)|"
        r"(?:अनदेखा|नज़रअंदाज़|भूल)[^।\n]{0,20}(?:निर्देश)|(?:निर्देश)[^।\n]{0,20}(?:अनदेखा|"
        r"नज़रअंदाज़|भूल)|(?:unut|yoksay|görmezden gel)[^.\n]{0,30}(?:talimat|komut)|"
        r"(?:talimat|komut)\w*[^.\n]{0,20}(?:unut|yoksay|görmezden)",
    ),
    # you are now DAN; developer mode; show your system prompt
    (
        "role",
        r"(?:du bist (?:jetzt|nun|ab sofort)|tu es (?:maintenant|désormais)|(?:ahora )?eres (?:ahora )?|"
        r"ahora eres|(?:agora )?você (?:agora )?é|sei ora|ты теперь|теперь ты|你现在是|あなたは今|너는 이제|당신은 이제|"
        r"أنت الآن)[^.\n]{0,30}(?:\bDAN\b|modell?o?\b|assistent|assistant|asistente|KI\b|IA\b|ИИ|AI\b|"
        r"人工智能|模型|助手|인공지능|restric|einschränk|огранич|限制|제한)",
    ),
    (
        "role",
        r"(?:entwicklermodus|mode développeur|modo (?:de )?desarrollador|modo (?:de )?desenvolvedor|"
        r"режим разработчика|开发者模式|開発者モード|개발자 모드|وضع المطور|unbeschränkten? modus|mode sans "
        r"restriction|modo sin restricciones)",
    ),
    (
        "role",
        r"(?:ohne (?:jede |alle )?(?:regeln|einschränkungen|filter) (?:antworte|sprich)|antworte (?:frei|"
        r"ohne)|fais comme si tu n'avais|actúa como si no tuvieras|finja que não tem|веди себя как будто)",
    ),
    (
        "override",
        r"(?:vergiss|missachte|ignoriere|umgehe|überschreibe|deaktiviere|oublie|ignore|contourne|désactive|"
        r"olvida|ignora|desactiva|omite|esqueça|desative|забудь|отключи)s?[^.\n]{0,20}(?:dein(?:e|en)? "
        r"(?:training|programmierung|richtlinien|regeln|filter)|sicherheits(?:richtlinien|filter)|t(?:a|on|es) "
        r"(?:programmation|entraînement|règles|filtres)|tu (?:programación|entrenamiento)|tus (?:reglas|"
        r"filtros)|seu treinamento|suas regras|обучение|фильтр)",
    ),
    (
        "exfiltration",
        r"(?:system-?(?:nachricht|prompt)|invite système|message système|prompt (?:del? )?s[iy]stema|"
        r"mensaje del? sistema|mensagem do sistema|системн\w{1,3} (?:промпт|сообщени\w|подсказк\w)|"
        r"系统(?:提示|消息|指令)|システム(?:プロンプト|メッセージ)|시스템 (?:프롬프트|메시지)|ursprünglichen anweisungen|"
        r"instructions initiales|instrucciones (?:iniciales|originales)|instruções (?:iniciais|originais))",
    ),
)
