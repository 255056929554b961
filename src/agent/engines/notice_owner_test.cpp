#include "agent/engines/notice_owner.hpp"

#include <chrono>

#include <gtest/gtest.h>

namespace meridian::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Others = NoticeOwner::Others;

class NoticeOwnerTest : public testing::Test {
 protected:
  // Observes the same for so long, each 100 ms; whether it owns at the end.
  bool After(Duration time, Others others, bool able = true) {
    for (TimePoint end = now_ + time; now_ < end; now_ += milliseconds{100}) {
      owner_.Observe(able, others, now_);
    }
    return owner_.owns();
  }

  NoticeOwner owner_;
  TimePoint now_ = TimePoint() + seconds{100};
};

TEST_F(NoticeOwnerTest, TheFirstOfSiteTomlBecomesItAfterAWhile) {
  EXPECT_FALSE(After(seconds{2}, {}));
  EXPECT_TRUE(After(seconds{2}, {}));
}

TEST_F(NoticeOwnerTest, WhatStartsIsNot) {
  EXPECT_FALSE(After(seconds{60}, {}, false));
  EXPECT_FALSE(After(seconds{2}, {}));
}

TEST_F(NoticeOwnerTest, AnOwnerThatCanTellNothingGivesUpButNotAtOnce) {
  EXPECT_TRUE(After(seconds{4}, {}));
  EXPECT_TRUE(After(seconds{9}, {}, false));
  EXPECT_TRUE(After(seconds{1}, {}));  // its engines were killed, and are back
  EXPECT_TRUE(After(seconds{9}, {}, false));
  EXPECT_FALSE(After(seconds{2}, {}, false));
  EXPECT_FALSE(After(seconds{600}, {.later_owns = true}));
}

TEST_F(NoticeOwnerTest, ALaterOneWaitsForTheEarlierAndThenForNobody) {
  EXPECT_FALSE(After(seconds{9}, {.earlier_serves = true}));
  EXPECT_FALSE(After(seconds{60}, {.earlier_serves = true, .earlier_owns = true}));
  // The earlier one serves, but has stopped to be the owner.
  EXPECT_FALSE(After(seconds{9}, {.earlier_serves = true}));
  EXPECT_TRUE(After(seconds{2}, {.earlier_serves = true}));
}

TEST_F(NoticeOwnerTest, WhenTheOwnerIsLostTheNextTakesOverSoon) {
  EXPECT_FALSE(After(seconds{60}, {.earlier_serves = true, .earlier_owns = true}));
  EXPECT_FALSE(After(seconds{2}, {}));
  EXPECT_TRUE(After(seconds{2}, {}));
}

TEST_F(NoticeOwnerTest, OneThatReturnsDoesNotTakeOver) {
  EXPECT_FALSE(After(seconds{600}, {.later_owns = true}));
  EXPECT_FALSE(After(seconds{2}, {}));
  EXPECT_TRUE(After(seconds{2}, {}));
}

TEST_F(NoticeOwnerTest, TheEarlierStaysTheOwnerWhateverALaterOneClaims) {
  EXPECT_TRUE(After(seconds{4}, {}));
  EXPECT_TRUE(After(seconds{3600}, {.later_owns = true}));
}

TEST_F(NoticeOwnerTest, AfterAPartitionTheLaterGivesUpWhenItHasToldTheEnd) {
  EXPECT_TRUE(After(seconds{4}, {}));
  EXPECT_TRUE(After(kNoticeOverlap - seconds{1}, {.earlier_serves = true, .earlier_owns = true}));
  EXPECT_TRUE(After(seconds{1}, {}));  // a second partition begins the time anew
  EXPECT_TRUE(After(kNoticeOverlap - seconds{1}, {.earlier_serves = true, .earlier_owns = true}));
  EXPECT_FALSE(After(seconds{2}, {.earlier_serves = true, .earlier_owns = true}));
  EXPECT_FALSE(After(seconds{60}, {.earlier_serves = true, .earlier_owns = true}));
}

}  // namespace
}  // namespace meridian::agent
