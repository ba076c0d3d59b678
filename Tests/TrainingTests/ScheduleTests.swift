import Quantization
import Testing
import Training

@Suite struct ScheduleTests {
  @Test func theRateRisesLinearly() {
    let schedule = Schedule(.constant, warmUp: 20, steps: 100)
    #expect(schedule.factor(0) == 1.0 / 20 && schedule.factor(9) == 0.5 && schedule.factor(18) == 0.95)
    #expect((19..<200).allSatisfy { schedule.factor($0) == 1 })
    #expect(Schedule(.constant, warmUp: 0, steps: 1).factor(0) == 1)
    #expect(Schedule(.constant, warmUp: 1, steps: 1).factor(0) == 1)
    // Longer than the training: it never gets there.
    #expect(Schedule(.constant, warmUp: 40, steps: 10).factor(9) == 0.25)
  }

  @Test func stepsFallAtHalfAndThreeQuarters() {
    let schedule = Schedule(.step, steps: 200)
    #expect((0..<100).allSatisfy { schedule.factor($0) == 1 })
    #expect((100..<150).allSatisfy { schedule.factor($0) == 0.1 })
    #expect((150..<200).allSatisfy { schedule.factor($0) == 0.01 })
  }

  @Test func theCosineFallsFromOneToZero() {
    let schedule = Schedule(.cosine, steps: 1000)
    let factors = (0...1000).map(schedule.factor)
    #expect(factors[0] == 1 && abs(factors[500] - 0.5) < 1e-12 && factors[1000] < 1e-12)
    #expect(abs(factors[250] - 0.853_553_390_593_273_8) < 1e-12)
    #expect(zip(factors, factors.dropFirst()).allSatisfy { $0 > $1 })
    #expect(schedule.factor(5000) == factors[1000])
  }

  @Test func bothAreMultiplied() {
    let schedule = Schedule(.cosine, warmUp: 10, steps: 20)
    #expect(abs(schedule.factor(4) - 0.5 * 0.5 * (1 + 0.809_016_994_374_947_4)) < 1e-12)
  }

  @Test(arguments: TrainingSettings.Schedule.allCases)
  func settingsAreTaken(_ shape: TrainingSettings.Schedule) {
    var settings = TrainingSettings()
    settings.schedule = shape
    settings.warmUp = 7
    #expect(Schedule(settings, steps: 30) == Schedule(shape, warmUp: 7, steps: 30))
  }
}
