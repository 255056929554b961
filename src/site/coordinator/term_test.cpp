#include "site/coordinator/term.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "base/clock.hpp"
#include "site/coordinator/limits.hpp"
#include "site/coordinator/term_record.hpp"

namespace meridian::site {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

// The key, without any delay.
struct Key {
  std::optional<TermRecord> record;
  int64_t revision = 0;
};

class TermTest : public testing::Test {
 protected:
  static Term Candidate(std::string holder, uint64_t life) {
    Term term({.holder = std::move(holder), .life = life});
    term.SetWanted(true);
    return term;
  }
  // Executes a request, and tells its outcome.
  void Execute(Term& term, const TermRequest& request) {
    if (!request.write) return term.OnRead(now_, key_.record, key_.revision, revisions_);
    if (request.revision != key_.revision)
      return term.OnRead(now_, key_.record, key_.revision, revisions_);
    key_ = {.record = request.write, .revision = ++revisions_};
    term.OnWritten(now_, key_.revision);
  }
  // Runs the candidates for so long.
  void Run(Duration duration, std::initializer_list<Term*> terms) {
    for (const TimePoint end = now_ + duration; now_ < end; now_ += milliseconds{10}) {
      for (Term* term : terms) {
        while (auto request = term->Next(now_)) Execute(*term, *request);
      }
    }
  }

  Key key_;
  int64_t revisions_ = 10;  // of the store
  TimePoint now_{std::chrono::hours{1}};
};

TEST_F(TermTest, TheFirstCandidateTakesAKeyThatNobodyHas) {
  Term east = Candidate("us-east", 1);
  Run(kTermTimeout + milliseconds{20}, {&east});
  EXPECT_TRUE(east.Holds(now_));
  const uint64_t epoch = east.epoch();
  EXPECT_GT(epoch, 0U);
  EXPECT_EQ(key_.record->holder, "us-east");
  Run(seconds{60}, {&east});
  EXPECT_TRUE(east.Holds(now_));
  EXPECT_EQ(east.epoch(), epoch);
}

TEST_F(TermTest, WhoeverDoesNotWantItReadsAlone) {
  Term east({.holder = "us-east", .life = 1});
  Run(seconds{20}, {&east});
  EXPECT_FALSE(east.Holds(now_));
  EXPECT_EQ(key_.revision, 0);
}

TEST_F(TermTest, ADeadHoldersTermIsTakenAfterItsTimeout) {
  Term east = Candidate("us-east", 1);
  Term west = Candidate("us-west", 2);
  Run(seconds{5}, {&east});
  Run(seconds{5}, {&east, &west});
  EXPECT_TRUE(east.Holds(now_));
  EXPECT_FALSE(west.Holds(now_));
  const TimePoint died = now_;
  while (!west.Holds(now_) && now_ < died + seconds{10}) Run(milliseconds{10}, {&west});
  EXPECT_GE(now_ - died, kTermTimeout - kTermInterval);
  EXPECT_LE(now_ - died, kTermTimeout + kTermInterval);
  EXPECT_FALSE(east.Holds(now_));
  EXPECT_GT(west.epoch(), east.epoch());
}

TEST_F(TermTest, AHolderThatIsCutOffStopsBeforeAnotherOneBegins) {
  Term east = Candidate("us-east", 1);
  Term west = Candidate("us-west", 2);
  Run(seconds{5}, {&east, &west});
  ASSERT_TRUE(east.Holds(now_));
  const TimePoint cut = now_;
  Duration without{};
  while (!west.Holds(now_) && now_ < cut + seconds{10}) {
    while (east.Next(now_)) east.OnFailure(now_);
    Run(milliseconds{10}, {&west});
    if (!east.Holds(now_)) without += milliseconds{10};
    EXPECT_FALSE(east.Holds(now_) && west.Holds(now_));
  }
  EXPECT_GE(without, milliseconds{300});
}

TEST_F(TermTest, AWriteThatWasExecutedThoughItsAnswerWasLostIsFoundByTheNextRead) {
  Term east = Candidate("us-east", 1);
  Run(seconds{5}, {&east});
  std::optional<TermRequest> request;
  while (!(request = east.Next(now_))) now_ += milliseconds{10};
  const TimePoint sent = now_;
  key_ = {.record = request->write, .revision = ++revisions_};
  now_ += milliseconds{700};
  east.OnFailure(now_);
  now_ += kTermRetry;
  request = east.Next(now_);
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->write);
  Execute(east, *request);
  // It counts from when it was sent.
  EXPECT_EQ(east.held_until(), sent + kTermHold);
  const uint64_t epoch = east.epoch();
  Run(seconds{5}, {&east});
  EXPECT_EQ(east.epoch(), epoch);
}

TEST_F(TermTest, AnEarlierWriteThatIsExecutedLateDoesNotCountForALaterOne) {
  Term east = Candidate("us-east", 1);
  Run(kTermTimeout - milliseconds{100}, {&east});
  ASSERT_FALSE(east.Holds(now_));
  std::optional<TermRequest> first;
  while (!(first = east.Next(now_)) || !first->write) {
    if (first) Execute(east, *first);
    now_ += milliseconds{10};
  }
  now_ += milliseconds{700};
  east.OnFailure(now_);
  now_ += kTermRetry;
  Execute(east, *east.Next(now_));  // reads: it was not executed
  auto second = east.Next(now_);
  ASSERT_TRUE(second && second->write);
  EXPECT_NE(*second->write, *first->write);
  // Then the first one is, and the second one finds it; that answer is lost.
  key_ = {.record = first->write, .revision = ++revisions_};
  now_ += milliseconds{700};
  east.OnFailure(now_);
  now_ += kTermRetry;
  Execute(east, *east.Next(now_));
  EXPECT_FALSE(east.Holds(now_));
}

TEST_F(TermTest, WhoeverGivesItUpLetsOthersInAtOnce) {
  Term east = Candidate("us-east", 1);
  Term west = Candidate("us-west", 2);
  Run(seconds{5}, {&east, &west});
  ASSERT_TRUE(east.Holds(now_));
  east.SetWanted(false);
  Run(kTermInterval * 2 + milliseconds{20}, {&east, &west});
  EXPECT_FALSE(east.Holds(now_));
  EXPECT_TRUE(west.Holds(now_));
  Run(seconds{20}, {&east, &west});
  EXPECT_TRUE(west.Holds(now_));
  EXPECT_GT(west.epoch(), east.epoch());
}

TEST_F(TermTest, TheNextStartOfAHolderIsAnotherCandidate) {
  Term first = Candidate("us-east", 1);
  Run(seconds{5}, {&first});
  Term second = Candidate("us-east", 2);
  Run(kTermTimeout - milliseconds{100}, {&second});
  EXPECT_FALSE(second.Holds(now_));
  Run(seconds{1}, {&second});
  EXPECT_TRUE(second.Holds(now_));
  EXPECT_GT(second.epoch(), first.epoch());
}

TEST_F(TermTest, AHolderThatWasPausedTakesItAnewUnderAnotherEpoch) {
  Term east = Candidate("us-east", 1);
  Run(seconds{5}, {&east});
  const uint64_t epoch = east.epoch();
  now_ += seconds{30};
  EXPECT_FALSE(east.Holds(now_));
  Run(seconds{1}, {&east});
  EXPECT_TRUE(east.Holds(now_));
  EXPECT_GT(east.epoch(), epoch);
}

TEST_F(TermTest, AKeyThatWasRemovedIsNotTakenWhileItsHolderMayHold) {
  Term east = Candidate("us-east", 1);
  Run(seconds{5}, {&east});
  key_ = {.revision = 0};
  ++revisions_;
  // It has never seen the key.
  Term west = Candidate("us-west", 2);
  for (int i = 0; i < 2000; ++i) {
    Run(milliseconds{10}, {&west});
    EXPECT_FALSE(east.Holds(now_) && west.Holds(now_));
  }
  EXPECT_TRUE(west.Holds(now_));
  // No epoch is given twice.
  EXPECT_GT(west.epoch(), east.epoch());
}

TEST_F(TermTest, RecordsAreReadAsTheyWereWritten) {
  const TermRecord record{.holder = "us-east", .life = 0x3f6c, .epoch = 7, .beat = 41};
  EXPECT_EQ(ToJson(record),
            R"({"holder":"us-east","life":"0000000000003f6c","epoch":7,"beat":41})");
  auto read = ReadTermRecord(ToJson(record));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, record);
}

TEST_F(TermTest, OtherValuesAreNoRecords) {
  for (const char* text : {"", "{}", "[]", R"({"holder":"a","life":"1","epoch":1,"beat":1})",
                           R"({"holder":"a","life":"000000000000000g","epoch":1,"beat":1})",
                           R"({"holder":"a","life":"0000000000000001","epoch":-1,"beat":1})",
                           R"({"holder":7,"life":"0000000000000001","epoch":1,"beat":1})"}) {
    EXPECT_FALSE(ReadTermRecord(text)) << text;
  }
}

}  // namespace
}  // namespace meridian::site
