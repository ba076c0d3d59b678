#!/usr/bin/env python3
"""Makes the tokenizers here and what the `tokenizers` package gives for them and for the shared ones.

    python3 make.py SHARED [--train]    # the folder of shared models and data; without --train the tokenizers here stay

Files: *.json are tokenizers; expected/texts.json is what every one makes of the odd texts; expected/shared.json has, for
each shared text, one hash of the numbers per chunk; expected/steps.json is what single steps make of the odd texts.
"""
import base64, json, sys, tempfile
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
import tokenizers

HERE = Path(__file__).resolve().parent
SHARED = Path(sys.argv[1])
CHUNK = 20_000          # characters of a shared text that are encoded at a time
STORIES = (SHARED / "data/text/tinystories_a.txt").read_bytes()[:300_000].decode("utf-8", "ignore")
WIKI = (SHARED / "data/text/wikitext2_valid.txt").read_bytes()[:300_000].decode("utf-8", "ignore")

TEXTS = [
    "", " ", "  ", "a", " a", "Hello, world!", "hello   world", "  leading and trailing  ", "\n", "\r\n", "a\nb\r\nc\rd\n\n\ne",
    "tab\tseparated\t\tvalues", "line one  \n  line two\n\n   line three", " " * 300 + "x" + " " * 7, "\n" * 9 + " \n \n  z",
    "It's I'm we've you'll they'd don't CAN'T I'LL 'Sam 'twas it\u2019s", "IT'S WE'RE I'\u017f x'\u212a",
    "1 12 123 1234 12345 1234567890 3.14159 1,000,000 \u0661\u0662\u0663 \u2167 \u00bd x\u00b2 \u4e09",
    "camelCase HTTPServer getURLForID snake_case kebab-case XMLHttpRequest2 iOS\u01c5x", "a" * 200, "ab" * 150,
    "caf\u00e9 cafe\u0301 na\u00efve \u00c5ngstr\u00f6m A\u030a \u1e9e stra\u00dfe \ufb01n \u0130stanbul \u01c4",
    "\u0a95\u0ac1\u0a9c\u0ab0\u0abe\u0aa4\u0ac0 \u0939\u093f\u0928\u094d\u0926\u0940 \u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22 \u1798\u17d2\u179a",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8 \ud55c\uad6d\uc5b4 \ud14d\uc2a4\ud2b8 \uff21\uff22\uff23\uff11\uff12 \u2f00\uf900",
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645 \u05e9\u05dc\u05d5\u05dd \u05e2\u05d5\u05dc\u05dd \u05e9\u05b8\u05c1",
    "\U0001f600\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466 \U0001f1e9\U0001f1ea \u2764\ufe0f \U0001f44d\U0001f3fd x\U0001f680y",
    "e\u0301\u0323\u0316\u0301\u0301 o\u0302\u0323 \u1100\u1161\u11a8 \uac01", "\u0000\u0001\u0007\u001b[31m\u007f\u0085\u00a0\u00ad\u2028\u2029\ufeff\u3000x\u200b\u200c\u200d\u2060",
    "\ufffd \ufffe \uffff \U0010ffff \ue000 \u0378 \U000e0001", "$100 \u20ac5 \u00a33 #tag @name 50% a+b=c <tag attr=\"v\"/> {x: [1, 2]} `code` ~/.x\\y^z|w",
    "https://example.com/path?q=1&r=two#frag user@example.org 192.168.0.1", "def f(x):\n    return x  # note\n\n\tif (a&&b) { c++; }\n",
    "...!!!???\u2026\u00bf\u00a1\u201cquoted\u201d \u2018single\u2019 \u2014 \u2013 - _ __ --", "<unk> <s></s> <|endoftext|> [CLS] [MASK]x [SEP]", "x<|endoftext|>  y <|pad|>z",
    "The new York newyork new  york renewal NEW", "\u2581under \u2581\u2581two \u0120g \u010a", "\u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2 \u039f\u0394\u039f\u03a3 \u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440! \u0451\u0439",
    "Once upon a time, there was a little girl named Lily. She said, \"I'm happy!\"\n\nThe end.",
    "\u1f71 \u2126 \u212b \u0344 \ufb2a \u2460 \u3392 \uff76\uff9e \u02b9 \u0374 \u037e \u1e9b\u0323", "\U0001d400\U0001d7ce \U00020000\U0002f800 \U00010400\U00010428 \U0001e900",
]

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
CASED = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
END = r"| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
GPT4O = "|".join(r"[^\r\n\p{L}\p{N}]?" + CASED[0] + a + CASED[1] + b + r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?" for a, b in ["*+", "+*"]) + r"|\p{N}{1,3}" + END
TEKKEN = "|".join(r"[^\r\n\p{L}\p{N}]?" + CASED[0] + a + CASED[1] + b for a, b in ["*+", "+*"]) + r"|\p{N}" + END
def llama3(letters=r"\p{L}", digits=r"\p{N}{1,3}", signs=r"\p{L}\p{N}", first=r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"):
    return first + r"|[^\r\n\p{L}\p{N}]?" + (letters if letters[0] == "[" else letters) + "+|" + digits + r"| ?[^\s" + signs + r"]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CL100K = r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"
DEEPSEEK3 = r"""[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"""
DEEPSEEK_LATIN = "\\s?[A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a\U00010400-\U0001044f\U000104b0-\U000104d3\U000104d8-\U000104fb\U00010c80-\U00010cb2\U00010cc0-\U00010cf2\U000118a0-\U000118df\U0001e900-\U0001e943]+"
DEEPSEEK_CJK = "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+"

def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)

def in_turn(*steps):
    return pre_tokenizers.Sequence(list(steps))

LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)

# Named as tokenizer.ggml.pre names them, where it does.
PRE_TOKENIZERS = {
    "gpt-2": pre_tokenizers.ByteLevel(add_prefix_space=False),
    "roberta": pre_tokenizers.ByteLevel(add_prefix_space=True),
    "llama-bpe": split(llama3()),
    "qwen2": split(llama3(digits=r"\p{N}")),
    "qwen35": split(llama3(letters=r"[\p{L}\p{M}]", digits=r"\p{N}", signs=r"\p{L}\p{M}\p{N}")),
    "gpt-4o": split(GPT4O),
    "tekken": split(TEKKEN),
    "cl100k": split(CL100K),
    "cl100k as Oniguruma reads it": split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"),
    "seed-coder": split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1}| ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+|\s+(?!\S)|\s+"),
    "exaone-moe": split(r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"),
    "deepseek-v3": in_turn(split(r"\p{N}{1,3}"), split("[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+"), split(DEEPSEEK3)),
    "deepseek-llm": in_turn(split(r"[\r\n]"), split(DEEPSEEK_LATIN), split("\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+"), split(r"\s+$"), split(DEEPSEEK_CJK), pre_tokenizers.Digits(True)),
    "deepseek-coder": in_turn(split(r"[\r\n]"), split(r"\s?\p{L}+"), split(r"\s?\p{P}+"), split(DEEPSEEK_CJK), pre_tokenizers.Digits(True)),
    "starcoder": in_turn(pre_tokenizers.Digits(True), pre_tokenizers.ByteLevel(add_prefix_space=False)),
    "falcon": in_turn(pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.ByteLevel(add_prefix_space=False), pre_tokenizers.Digits(False), split("[0-9][0-9][0-9]")),
    "bloom": split(" ?[^(\\s|[.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c])]+"),
    "kimi-k2": split("[\\p{Han}]+|" + GPT4O.replace(r"\p{M}]", r"\p{M}&&[^\p{Han}]]")),
    "lazy and atomic": split(r"(?>\p{L}+?)(?=\p{L}|\b)|\d{2,3}?|[^\w\s]{2,}|\W(?:\w{2}){1,2}+"),
    "merged with the blank before": pre_tokenizers.Split(" ", "merged_with_previous"),
    "merged with next": split(r"\p{P}", "merged_with_next"),
    "merged with previous": split(r"\p{P}", "merged_with_previous"),
    "contiguous": split(r"[\s\p{P}]", "contiguous"),
    "removed": split(r"\p{N}+", "removed"),
    "inverted": split(r"[\p{L}]+", "removed", True),
    "metaspace": pre_tokenizers.Metaspace(),
    "metaspace, first": pre_tokenizers.Metaspace("\u2581", "first", False),
    "metaspace, never": pre_tokenizers.Metaspace("_", "never"),
    "bert": pre_tokenizers.BertPreTokenizer(),
    "whitespace": pre_tokenizers.Whitespace(),
    "whitespace split": pre_tokenizers.WhitespaceSplit(),
    "digits": pre_tokenizers.Digits(False),
    "punctuation": pre_tokenizers.Punctuation(),
    "delimiter": pre_tokenizers.CharDelimiterSplit("e"),
    "fixed length": pre_tokenizers.FixedLength(3),
}

RULES = [("\ufb01", "fi"), ("A\u030a", "\u00c5"), ("\u00bd", "1/2"), ("\u3000", " "), ("\t", " "), ("\u2026", "..."), ("ab", "X"), ("abc", "Y"), ("\uff21", "A"), ("\u00ad", "")]


def character_map(folder):
    """The rules above as SentencePiece compiles them."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2 as proto
    rules, text, prefix = folder / "rules.tsv", folder / "text.txt", folder / "model"
    rules.write_text("".join(f"{' '.join(f'{ord(c):X}' for c in a)}\t{' '.join(f'{ord(c):X}' for c in b)}\n" for a, b in RULES))
    text.write_text(STORIES[:20_000])
    sentencepiece.SentencePieceTrainer.train(input=str(text), model_prefix=str(prefix), vocab_size=200, normalization_rule_tsv=str(rules), minloglevel=2)
    model = proto.ModelProto()
    model.ParseFromString((prefix.with_suffix(".model")).read_bytes())
    return model.normalizer_spec.precompiled_charsmap


def normalizer_steps(map):
    return {
        "NFC": normalizers.NFC(), "NFD": normalizers.NFD(), "NFKC": normalizers.NFKC(), "NFKD": normalizers.NFKD(),
        "lowercase": normalizers.Lowercase(), "strip accents": normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]),
        "strip": normalizers.Strip(), "strip left": normalizers.Strip(True, False), "nmt": normalizers.Nmt(),
        "bert": normalizers.BertNormalizer(), "bert, cased": normalizers.BertNormalizer(lowercase=False), "bert, accents": normalizers.BertNormalizer(strip_accents=False, handle_chinese_chars=False),
        "prepend": normalizers.Prepend("\u2581"), "replace": normalizers.Replace("l", "LL"), "replace pattern": normalizers.Replace(Regex(" {2,}"), "\u2581"),
        "byte level": normalizers.ByteLevel(), "character map": normalizers.Precompiled(map),
    }


def decoder_steps():
    level = lambda text: [t for t, _ in pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)]
    spaced = ["\u2581Hello", "\u2581\u2581wor", "ld", "<0xE2>", "<0x9A>", "<0xA1>", "<0xFF>", "a", "<0x41>", "<0xE2>", "\u2581", "."]
    pieces = ["he", "##llo", "world", "!", "do", "not", "n't", "'", "s", "don", "'s", "##", "a</w>", "b</w>"]
    llama = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    return [
        ("byte level", decoders.ByteLevel(), level("caf\u00e9 \U0001f600 x")), ("byte level, cut", decoders.ByteLevel(), ["\u00f0\u0141", "\u0129", "\u4e00", "\u00f0"]),
        ("llama", llama, spaced), ("byte fallback", decoders.ByteFallback(), spaced), ("fuse", decoders.Fuse(), spaced),
        ("metaspace", decoders.Metaspace(), spaced), ("metaspace, never", decoders.Metaspace("\u2581", "never"), spaced),
        ("strip", decoders.Strip("l", 1, 1), ["llama", "all", "ll", "x"]), ("word piece", decoders.WordPiece(), pieces), ("word piece, as it is", decoders.WordPiece("##", False), pieces),
        ("suffix", decoders.BPEDecoder(), pieces), ("replace pattern", decoders.Replace(Regex("[0-9]+"), "#"), ["a12", "3b"]),
    ]


def train_bpe(pre_tokenizer, size, text, **options):
    tokenizer = Tokenizer(models.BPE(**options))
    tokenizer.pre_tokenizer = pre_tokenizer
    alphabet = pre_tokenizers.ByteLevel.alphabet() if not options else []
    specials = ["<unk>", "<s>", "</s>"] if options.get("unk_token") else []
    tokenizer.train_from_iterator(text.split("\n"), trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, special_tokens=specials, show_progress=False, **({"end_of_word_suffix": "</w>"} if "end_of_word_suffix" in options else {})))
    return tokenizer


def changed(tokenizer, change):
    """The tokenizer with its file changed."""
    data = json.loads(tokenizer.to_str())
    change(data)
    return Tokenizer.from_str(json.dumps(data))


def with_bytes(data):
    """Puts the tokens of bytes behind the three special ones, as SentencePiece does."""
    model = data["model"]
    order = [t for t, _ in sorted(model["vocab"].items(), key=lambda t: t[1])]
    order[3:3] = [f"<0x{b:02X}>" for b in range(256)]
    model["vocab"] = {t: i for i, t in enumerate(order)}
    model.update(byte_fallback=True, fuse_unk=True)


def make_tokenizers(map):
    made = {}
    t = made["gpt2"] = train_bpe(PRE_TOKENIZERS["gpt-2"], 600, STORIES)
    t.decoder, t.post_processor = decoders.ByteLevel(), processors.ByteLevel(trim_offsets=False)
    t.add_special_tokens(["<|endoftext|>"])
    t.add_tokens([AddedToken("<|pad|>", lstrip=True, rstrip=True), AddedToken("New", single_word=True, normalized=False), "york"])

    t = made["llama3"] = train_bpe(in_turn(PRE_TOKENIZERS["llama-bpe"], LEVEL), 700, WIKI)
    t.add_special_tokens(["<|begin|>", "<|endoftext|>"])
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.Sequence([processors.ByteLevel(), processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[("<|begin|>", t.token_to_id("<|begin|>"))])])
    made["llama3"] = changed(t, lambda d: d["model"].update(ignore_merges=True))

    t = made["qwen2"] = train_bpe(in_turn(PRE_TOKENIZERS["qwen2"], LEVEL), 600, WIKI)
    t.normalizer, t.decoder = normalizers.NFC(), decoders.ByteLevel()
    t.add_special_tokens(["<|endoftext|>"])

    t = made["llama2"] = changed(train_bpe(pre_tokenizers.Metaspace(), 500, STORIES, unk_token="<unk>"), with_bytes)
    t.pre_tokenizer = None
    t.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    t.decoder = decoder_steps()[2][1]
    t.add_special_tokens([AddedToken(s, normalized=False) for s in ("<unk>", "<s>", "</s>")])
    t.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])

    t = made["gemma"] = changed(train_bpe(pre_tokenizers.Metaspace("\u2581", "never"), 400, WIKI, unk_token="<unk>"), lambda d: d["model"].update(fuse_unk=True))
    t.normalizer, t.pre_tokenizer = normalizers.Replace(" ", "\u2581"), PRE_TOKENIZERS["merged with the blank before"]
    t.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])

    t = made["clip"] = train_bpe(pre_tokenizers.BertPreTokenizer(), 400, STORIES, unk_token="<unk>", end_of_word_suffix="</w>")
    t.normalizer, t.decoder = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]), decoders.BPEDecoder()

    t = made["unigram"] = Tokenizer(models.Unigram())
    t.normalizer = normalizers.Sequence([normalizers.Precompiled(map), normalizers.Replace(Regex(" {2,}"), " ")])
    t.pre_tokenizer, t.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    t.train_from_iterator(STORIES.split("\n"), trainers.UnigramTrainer(vocab_size=500, special_tokens=["<pad>", "</s>", "<unk>"], unk_token="<unk>", show_progress=False))
    t.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])

    t = made["bert-cased"] = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=60))
    t.normalizer, t.pre_tokenizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False), pre_tokenizers.BertPreTokenizer()
    t.decoder = decoders.WordPiece()
    t.train_from_iterator(WIKI.split("\n"), trainers.WordPieceTrainer(vocab_size=700, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", AddedToken("[MASK]", lstrip=True)], show_progress=False))
    t.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))

    t = made["words"] = Tokenizer(models.WordLevel(unk_token="<unk>"))
    t.normalizer, t.pre_tokenizer = normalizers.Lowercase(), pre_tokenizers.Whitespace()
    t.train_from_iterator(STORIES.split("\n"), trainers.WordLevelTrainer(vocab_size=300, special_tokens=["<unk>"], show_progress=False))
    return made


def fnv(numbers):
    """FNV-1a, 64 bits, over each number as four little-endian bytes."""
    value = 0xCBF29CE484222325
    for number in numbers:
        for byte in number.to_bytes(4, "little"):
            value = (value ^ byte) * 0x100000001B3 & 0xFFFFFFFFFFFFFFFF
    return f"{value:016x}"


def chunks(name):
    text = (SHARED / "data/text" / name).read_bytes().decode("utf-8", "ignore")
    return [text[i:i + CHUNK] for i in range(0, len(text), CHUNK)]


def write(path, value, **options):
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False, **options) + "\n", encoding="utf-8")


def main():
    if "--train" in sys.argv:
        for name, tokenizer in make_tokenizers(character_map(Path(tempfile.mkdtemp()))).items():
            write(HERE / f"{name}.json", json.loads(tokenizer.to_str()), separators=(",", ":"))
    made = {path.stem: Tokenizer.from_file(str(path)) for path in sorted(HERE.glob("*.json"))}
    map = base64.b64decode(json.loads((HERE / "unigram.json").read_text())["normalizer"]["normalizers"][0]["precompiled_charsmap"])
    for name in ("models/llm/tinystories-656K", "models/text/all-MiniLM-L6-v2"):
        made[name] = Tokenizer.from_file(str(SHARED / name / "tokenizer.json"))
        made[name].no_truncation()
        made[name].no_padding()
    texts = {"version": tokenizers.__version__, "texts": TEXTS, "tokenizers": {}}
    shared = {"version": tokenizers.__version__, "chunk": CHUNK, "tokenizers": {}}
    for name, t in made.items():
        ids = [t.encode(text).ids for text in TEXTS]
        # The package writes a special token that is looked for in the normalized text with what the normalizer puts
        # before it, and then does not know it for special.
        special = {n for n, token in t.get_added_tokens_decoder().items() if token.special}
        odd = any(token.special and token.normalized for token in t.get_added_tokens_decoder().values())
        texts["tokenizers"][name] = {
            "ids": ids, "bare": [t.encode(text, add_special_tokens=False).ids == i for text, i in zip(TEXTS, ids)],
            "decoded": [t.decode([n for n in i if n not in special]) for i in ids]}
        if not odd:
            texts["tokenizers"][name]["decoded with special"] = [t.decode(i, skip_special_tokens=False) for i in ids]
        shared["tokenizers"][name] = {}
        for text in ("tinystories_a.txt", "wikitext2_valid.txt"):
            ids = [t.encode(c).ids for c in chunks(text)]
            shared["tokenizers"][name][text] = {"first": ids[0][:24], "counts": [len(i) for i in ids], "hashes": [fnv(i) for i in ids]}
    write(HERE / "expected/texts.json", texts, separators=(",", ":"))

    steps = {"normalizers": {}, "pre-tokenizers": {}, "decoders": {}}
    for name, step in normalizer_steps(map).items():
        holder = Tokenizer(models.BPE())
        holder.normalizer = step
        steps["normalizers"][name] = {"step": json.loads(holder.to_str())["normalizer"], "texts": [step.normalize_str(t) for t in TEXTS]}
    shared["pre-tokenizers"] = {}
    for name, step in PRE_TOKENIZERS.items():
        holder = Tokenizer(models.BPE())
        holder.pre_tokenizer = step
        steps["pre-tokenizers"][name] = {"step": json.loads(holder.to_str())["pre_tokenizer"], "words": [[w for w, _ in step.pre_tokenize_str(t)] for t in TEXTS]}
        lengths = [[len(w.encode()) for w, _ in step.pre_tokenize_str(c)] for c in chunks("wikitext2_valid.txt")]
        shared["pre-tokenizers"][name] = {"counts": [len(l) for l in lengths], "hashes": [fnv(l) for l in lengths]}
    for name, step, tokens in decoder_steps():
        holder = Tokenizer(models.BPE())
        holder.decoder = step
        steps["decoders"][name] = {"step": json.loads(holder.to_str())["decoder"], "tokens": tokens, "text": step.decode(tokens)}
    write(HERE / "expected/steps.json", steps, separators=(",", ":"))
    write(HERE / "expected/shared.json", shared, separators=(",", ":"))


main()
