import Tensors
import Testing

struct SmallFloatTests {
  @Test(arguments: SmallFloat.all)
  func everyCodeSurvivesDecodingAndEncoding(_ format: SmallFloat) {
    for code in 0..<UInt32(1 << format.type.bits) {
      let value = format.decode(UInt16(code))
      guard !value.isNaN else { continue }
      #expect(
        format.encode(Double(value), saturate: false) == UInt16(code), "\(format.type.name) code \(code)")
    }
  }

  /// Halfway between two neighbours the even code wins; a hair beyond either way the nearer one does.
  @Test(arguments: SmallFloat.all)
  func halvesGoToTheEvenCode(_ format: SmallFloat) {
    for code in 0..<UInt16(1 << (format.type.bits - 1)) - 1 {
      let (low, high) = (Double(format.decode(code)), Double(format.decode(code + 1)))
      guard low.isFinite, high.isFinite else { break }
      let middle = (low + high) / 2
      #expect(format.encode(middle, saturate: true) == (code % 2 == 0 ? code : code + 1))
      #expect(format.encode(middle.nextDown, saturate: true) == code)
      #expect(format.encode(middle.nextUp, saturate: true) == code + 1)
    }
  }

  @Test func float16AgreesWithSwift() throws {
    let format = try #require(SmallFloat.format(.float16))
    for code in 0...UInt16.max {
      let (ours, swift) = (format.decode(code), Float(Float16(bitPattern: code)))
      #expect(ours == swift || ours.isNaN && swift.isNaN)
    }
  }

  /// Largest numbers as the OCP specification and ONNX state them.
  @Test(arguments: [
    (ElementType.float8e4m3fn, Float(448)), (.float8e4m3fnuz, 240), (.float8e5m2, 57344),
    (.float8e5m2fnuz, 57344),
    (.float4e2m1, 6), (.float16, 65504),
  ])
  func saturatesAtTheLargestNumber(_ type: ElementType, _ largest: Float) {
    let values = Tensor([Float(1e9), -1e9, .infinity], shape: [3])
    let back = values.converted(to: type, saturate: true).floats
    if type == .float16 {
      #expect(back == [.infinity, -.infinity, .infinity])  // a plain conversion never saturates 16-bit floats
    } else {
      #expect(back == [largest, -largest, largest])
    }
  }

  @Test func withoutSaturationTheFormatSaysWhatIsBeyond() {
    let values = Tensor([Float(1e9)], shape: [1])
    #expect(values.converted(to: .float8e5m2, saturate: false).floats == [.infinity])
    for type in [ElementType.float8e4m3fn, .float8e4m3fnuz, .float8e5m2fnuz] {
      #expect(values.converted(to: type, saturate: false).floats[0].isNaN)
    }
  }

  @Test func powersOfTwoRoundAsAsked() {
    let cases: [(PowerRounding, Double, UInt8)] = [
      (.up, 1, 127), (.up, 1.01, 128), (.down, 1.99, 127), (.nearest, 1.49, 127), (.nearest, 1.5, 128),
      (.up, 0, 0),
      (.up, .nan, 255), (.up, 1e300, 254),
    ]
    for (rounding, value, code) in cases { #expect(rounding.encode(value, saturate: true) == code) }
    #expect(PowerRounding.up.encode(1e300, saturate: false) == 255)
  }

  /// The quick path for bfloat16 against the general encoder, over every exponent.
  @Test func bfloat16IsRoundedToEven() throws {
    let format = try #require(SmallFloat.format(.bfloat16))
    var values: [Float] = [.infinity, -.infinity, 0, -0.0]
    for exponent in -126...126 {
      for mantissa in [0, 0x7FFF, 0x8000, 0x8001, 0x1_8000, 0x1_7FFF, 0x7F_FFFF] as [UInt32] {
        values.append(Float(bitPattern: UInt32(exponent + 127) << 23 | mantissa))
        values.append(-Float(bitPattern: UInt32(exponent + 127) << 23 | mantissa))
      }
    }
    let quick = Tensor(values, shape: [values.count]).converted(to: .bfloat16).floats
    for (value, result) in zip(values, quick) {
      #expect(result == format.decode(format.encode(Double(value), saturate: false)))
    }
  }
}
