import Foundation
import GoldenFiles
import Interface
import Panes
import Testing
import Workbench

@testable import Screen

@Suite struct FrameTests {
  @Test(arguments: Scene.all) func frames(_ scene: Scene) throws {
    try expectGolden(scene.name, FrameText.of(scene), in: "Frames")
  }

  @Test(arguments: Scene.all) func anASCIIFrameHasOnlyASCII(_ scene: Scene) throws {
    for size in FrameText.sizes {
      let (screen, state) = try scene.played(.ascii, size)
      let strange = screen.draw(state, size: size).text().filter { !$0.isASCII }
      #expect(strange.isEmpty, "\(size.width)x\(size.height): \(strange)")
    }
  }

  @Test func everyFileHasItsScene() throws {
    #expect(Set(Scene.all.map(\.name)).count == Scene.all.count)
    let folder = GoldenFile.folder.appendingPathComponent("Frames").path
    let files = Set(try FileManager.default.contentsOfDirectory(atPath: folder))
    let strays = files.subtracting(Scene.all.map { "\($0.name).txt" })
    if GoldenFile.isRenewing {
      for stray in strays { try FileManager.default.removeItem(atPath: "\(folder)/\(stray)") }
    } else {
      #expect(strays == [] && files.count == Scene.all.count)
    }
  }

  @Test func everyPaneHasASceneAndNoTwoScenesShowTheSame() throws {
    var shown: Set<PaneKind> = []
    var names: [[Cell]: String] = [:]
    let size = FrameText.sizes[2]
    for scene in Scene.all {
      let (screen, state) = try scene.played(.unicode, size)
      if screen.overlays.isEmpty { shown.insert(screen.focus) }
      let other = names.updateValue(scene.name, forKey: screen.draw(state, size: size).cells)
      #expect(other == nil, "\(scene.name) shows what \(other ?? "") shows")
    }
    #expect(shown == Set(PaneKind.allCases))
  }

  /// What is written of a dialog's title before the thing it is about.
  private struct Kind: Hashable, CustomStringConvertible {
    let type: String
    let title: String

    init(_ overlay: any Overlay) {
      type = "\(Swift.type(of: overlay))"
      title = overlay.title.prefix { $0 != ":" }.trimmingCharacters(in: .whitespaces)
    }

    var description: String { "\(type) “\(title)”" }
  }

  /// Dialogs open at the end of a scene.
  private static func shownDialogs() throws -> Set<Kind> {
    var kinds: Set<Kind> = []
    for scene in Scene.all {
      kinds.formUnion(try scene.played(.unicode, FrameText.sizes[1]).0.overlays.map(Kind.init))
    }
    return kinds
  }

  /// Presses every key of every table in every pane, and then enter: no dialog opens that no scene shows.
  @Test func everyDialogThatAKeyOpensHasAScene() throws {
    let shown = try Self.shownDialogs()
    var opened: Set<Kind> = []
    let size = FrameText.sizes[1]
    let keys = Set(Screen.commandTables.flatMap { $0.rows.flatMap(\.keys) })
    let (screen, state) = try Scene.middleOfWork(.unicode, size)
    for kind in PaneKind.allCases {
      for key in keys {
        var (screen, state) = (screen, state)
        _ = play("\(kind.rawValue)", &screen, &state, size)
        _ = screen.handle(.key(key), &state)
        opened.formUnion(screen.overlays.map(Kind.init))
        _ = screen.handle(.key(.enter), &state)
        opened.formUnion(screen.overlays.map(Kind.init))
      }
    }
    #expect(opened.count > 5)
    #expect(opened.subtracting(shown).map(\.description).sorted() == [])
  }

  /// Every type that the sources declare as a dialog is seen in a scene.
  @Test func everyKindOfDialogHasAScene() throws {
    let sources = GoldenFile.folder.deletingLastPathComponent().deletingLastPathComponent()
      .appendingPathComponent("Sources")
    let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
    var declared: Set<String> = []
    for case let file as URL in files where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      let declaration = /(?:struct|extension) (\w+)[^\n{]*[:,] *(?:any )?(?:Commanded)?Overlay\b/
      for match in text.matches(of: declaration) {
        declared.insert(String(match.1))
      }
    }
    #expect(declared.contains("MenuDialog"))
    #expect(declared.subtracting(try Self.shownDialogs().map(\.type)) == [])
  }
}
