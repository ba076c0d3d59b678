import Interface
import Testing

@Suite struct CanvasTests {
  @Test func textAndFrame() {
    let text = picture(12, 3) { canvas, area in
      canvas.box(area)
      canvas.put("日本", x: 3, y: 0)
      canvas.put("ok", x: 1, y: 1)
    }
    #expect(text == "╭──日本────╮\n│ok        │\n╰──────────╯")
  }

  @Test func aWideCharacterLosesItsOtherHalf() {
    let text = picture(8, 2) { canvas, _ in
      canvas.put("日本", x: 0, y: 0)
      canvas.put("x", x: 1, y: 0)
      canvas.put("日本", x: 0, y: 1)
      canvas.put("語", x: 1, y: 1)
    }
    #expect(text == " x本\n 語")
  }

  @Test func halfOfAWideCharacterOutsideIsABlank() {
    var canvas = Canvas(width: 3, height: 1)
    #expect(canvas.put("a日本", x: 0, y: 0) == 5)
    #expect(canvas.text() == "a日")
    canvas.clear()
    canvas.put("日本語", x: -1, y: 0)
    #expect(canvas.text() == " 本")
    #expect(canvas.isWhole)
  }

  @Test func marksCombine() {
    var canvas = Canvas(width: 4, height: 1)
    #expect(canvas.put("e\u{301}x\u{308}\u{323}\u{302}", x: 0, y: 0) == 2)
    #expect(canvas.text() == "e\u{301}x\u{308}\u{323}")
    #expect(canvas[1, 0].firstMark == 0x308)
    // A mark without a character before it has nothing to combine with.
    canvas.clear()
    canvas.put("\u{301}a", x: 2, y: 0)
    #expect(canvas.text() == "  a")
  }

  @Test func controlCharactersNeverArrive() {
    let text = picture(20, 1) { canvas, _ in
      canvas.put("a\u{1b}[31m\u{7}\tb\u{202E}c\u{200B}\u{9b}d\u{FE0F}", x: 0, y: 0)
    }
    #expect(text == "a?[31m? bc?d")
  }

  @Test func clipProtects() {
    let text = picture(6, 3) { canvas, area in
      canvas.fill(area, with: ".")
      canvas.clipped(to: Rect(x: 1, y: 1, width: 3, height: 1)) { canvas in
        canvas.put("abcdefgh", x: -1, y: 1)
        canvas.put("zzz", x: 1, y: 0)
        canvas.clipped(to: area) { $0.fill(Rect(x: 3, y: 0, width: 9, height: 9), with: "#") }
      }
      canvas.put("!", x: 5, y: 2)
    }
    #expect(text == "......\n.cd#..\n.....!")
  }

  @Test func alignedAndCut() {
    let text = picture(10, 5) { canvas, _ in
      canvas.put("right", x: 0, y: 0, width: 10, align: .right)
      canvas.put("mid", x: 0, y: 1, width: 10, align: .center)
      canvas.put("too long by far", x: 0, y: 2, width: 10)
      canvas.put([Run("ab", .key), Run("cdefgh")], x: 0, y: 3, width: 5)
      canvas.put("日本語", x: 0, y: 4, width: 4)
    }
    #expect(text == "     right\n   mid\ntoo long …\nabcd…\n日…")
  }

  @Test func bothEnds() {
    let text = picture(12, 3) { canvas, area in
      canvas.spread([Run("left")], [Run("right")], in: area.row(0))
      canvas.spread([Run("much too left")], [Run("right")], in: area.row(1))
      canvas.spread([Run("left")], [Run("nothing but right")], in: area.row(2))
    }
    #expect(text == "left   right\nmuch … right\nnothing but…")
  }

  @Test func asciiReplacesOneForOne() {
    let text = picture(30, 6, .ascii) { canvas, area in
      canvas.box(Rect(x: 0, y: 0, width: 10, height: 3))
      canvas.box(Rect(x: 10, y: 0, width: 10, height: 3), thick: true)
      canvas.put("▸✱ 3.9× Δ ±0.33 → … ‹ ›", x: 0, y: 3)
      canvas.put("███▋ █▏ ▉ ▁▂▃▄▅▆▇█ ░░", x: 0, y: 4)
      canvas.put("日本 é ● ·", x: 0, y: 5)
    }
    #expect(
      text == """
        +--------+#========#
        |        |#        #
        +--------+#========#
        >* 3.9x d ~0.33 > ~ < >
        ###= #. # ..-==### ..
        ???? ? o .
        """)
  }

  @Test func stylesShowInStyledText() {
    var canvas = Canvas(width: 6, height: 1)
    canvas.put("ab", x: 0, y: 0, .key)
    canvas.put("cd", x: 2, y: 0, .series(2))
    canvas.restyle(Rect(x: 1, y: 0, width: 1, height: 1)) { $0.selected }
    #expect(
      canvas.styledText() == """
        abcd
        ---- styles
        abcc..
        . text
        a key
        b key selected
        c series 2
        """)
  }

  @Test func everyPutEverywhereIsWhole() {
    let texts = ["", "a", "日本語", "e\u{301}日\u{301}", "ab日cd本ef", "\u{1b}\u{7f}\u{9b}"]
    drawEverywhere { canvas, area in
      for (index, text) in texts.enumerated() {
        for x in -3..<(canvas.width + 2) {
          canvas.put(text, x: x, y: area.y + index % 3)
          canvas.put(text, x: x, y: index % 4, width: x, align: index % 2 == 0 ? .right : .center)
        }
        canvas.fill(area.inset(by: index), with: "x")
        canvas.clipped(to: area.inset(by: 1)) { canvas in
          canvas.box(area, thick: true)
          for x in -2..<canvas.width { canvas.put(text, x: x, y: 0) }
        }
        canvas.restyle(area) { $0.bold }
      }
    }
  }

  @Test func cellsAreSmall() {
    #expect(MemoryLayout<Cell>.stride == 16)
  }
}

@Suite struct CharacterWidthTests {
  @Test(arguments: [
    ("", 0), ("abc", 3), ("日本", 4), ("e\u{301}", 1), ("─╭█⣿▸✱●×Δ", 9), ("\u{200B}\u{202E}\u{FEFF}", 0),
    ("ｗ", 2),
    ("한글", 4), ("\u{1F600}", 2), ("\u{1b}", 1), ("ﬁ", 1), ("\u{3000}", 2), ("\u{303F}", 1), ("〈", 2),
    ("⌚", 2),
  ])
  func widths(text: String, columns: Int) {
    #expect(CharacterWidth.of(text) == columns)
  }

  @Test func theCanvasAgreesWithTheTable() {
    for value in stride(from: UInt32(0x20), to: 0x30000, by: 7) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      var canvas = Canvas(width: 4, height: 1)
      let text = "a" + String(scalar)
      #expect(canvas.put(text, x: 0, y: 0) == CharacterWidth.of(text), "\(value)")
    }
  }
}

@Suite struct FittingTests {
  @Test func wrapping() {
    #expect(Fitting.wrap("the quick brown fox", to: 9) == ["the quick", "brown fox"])
    #expect(Fitting.wrap("unbreakable", to: 4) == ["unbr", "eaka", "ble"])
    #expect(Fitting.wrap("a\n\nb", to: 9) == ["a", "", "b"])
    #expect(Fitting.wrap("日本語", to: 4) == ["日本", "語"])
    #expect(Fitting.wrap("日本", to: 1) == ["日", "本"])
    #expect(Fitting.wrap("x", to: 0) == [])
  }

  @Test func cutting() {
    #expect(Fitting.cut("layer1.conv2", to: 12) == "layer1.conv2")
    #expect(Fitting.cut("layer1.conv2", to: 6) == "layer…")
    #expect(Fitting.cut("日本語", to: 5) == "日本…")
    #expect(Fitting.cut("abc", to: 1) == "…")
    #expect(Fitting.cut("abc", to: 0) == "")
    #expect(Fitting.cutMiddle("layer1/block0/conv2", to: 12) == "layer1…conv2")
    #expect(Fitting.pad("ab", to: 5, align: .right) == "   ab")
    #expect(Fitting.pad("ab", to: 5, align: .center) == " ab  ")
  }

  @Test func everyWidthFits() {
    for text in ["", "a", "layer1.conv2", "日本語テキスト", "e\u{301}e\u{301}e\u{301}", "a日b本c"] {
      for width in 0...20 {
        #expect(CharacterWidth.of(Fitting.cut(text, to: width)) <= width)
        #expect(CharacterWidth.of(Fitting.cutMiddle(text, to: width)) <= width)
        #expect(CharacterWidth.of(Fitting.pad(text, to: width)) == width)
        #expect(Fitting.width(of: Fitting.cut([Run(text), Run(text)], to: width)) <= width)
      }
    }
  }
}
