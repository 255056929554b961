#include "visit/statistics.hpp"

#include <gtest/gtest.h>

#include "visit/examples.hpp"
#include "visit/limits.hpp"
#include "wire/json/value.hpp"
#include "wire/json/writer.hpp"

namespace meridian::visit {
namespace {

using Json = wire::json::Value;

// The statistics of these visits.
class Counted {
 public:
  explicit Counted(const std::vector<Visit>& visits) {
    for (const Visit& visit : visits) statistics_.Add(visit);
  }
  Json json() const {
    return wire::json::Parse(
               statistics_.Json(
                   {.elapsed = milliseconds{1500}, .dns_questions = 3, .interrupted = true}))
        .value();
  }
  std::string Line(const Statistics::Frame& frame) const { return statistics_.Line(frame); }

 private:
  Statistics statistics_;
};

// The member `name` as JSON.
std::string TextOf(const Json& json, const char* name) {
  return wire::json::ToText(*json.Find(name));
}

Json JsonOf(const std::vector<Visit>& visits) { return Counted(visits).json(); }

const std::vector<Visit> kMixed = {ServedVisit("us-east"),
                                   ServedVisit("us-west"),
                                   VisitOf({Broken(Errc::kRefused), Answered("us-west")}),
                                   VisitOf({Answered("us-east", 503)}),
                                   VisitOf({Broken(Errc::kTimeout), Broken(Errc::kRefused)}),
                                   VisitWithoutAddress(Errc::kTimeout)};

TEST(Statistics, CountsEachVisitOnce) {
  Json json = JsonOf(kMixed);
  EXPECT_EQ(json.WholeNumberOf("requests"), 6U);
  EXPECT_EQ(json.WholeNumberOf("failed"), 3U);
  EXPECT_EQ(json.WholeNumberOf("fell_back"), 2U);
  EXPECT_EQ(TextOf(json, "errors"), R"({"dns timed out":1,"refused":1,"status 503":1})");
}

TEST(Statistics, CountsWhoAnsweredWhateverTheStatus) {
  Json json = JsonOf(kMixed);
  EXPECT_EQ(TextOf(json, "by_datacenter"), R"({"us-east":2,"us-west":2})");
  EXPECT_EQ(TextOf(json, "by_edge"), R"({"us-east":2,"us-west":2})");
  EXPECT_EQ(TextOf(json, "by_instance"), R"({"us-east-1":2,"us-west-1":2})");
  EXPECT_EQ(TextOf(json, "by_status"), R"({"200":3,"503":1})");
}

TEST(Statistics, SaysWhatTheLoadWas) {
  Json json = JsonOf(kMixed);
  EXPECT_EQ(json.NumberOf("elapsed_s"), 1.5);
  EXPECT_EQ(json.WholeNumberOf("dns_questions"), 3U);
  EXPECT_TRUE(json.BooleanOf("interrupted"));
}

TEST(Statistics, TheTimesAreOfThoseThatDidNotFail) {
  std::vector<Visit> visits(99, VisitOf({Answered("us-east")}, milliseconds{2}));
  visits.push_back(VisitOf({Answered("us-east")}, milliseconds{100}));
  visits.push_back(VisitOf({Broken(Errc::kTimeout)}, milliseconds{5000}));
  Json json = JsonOf(visits);
  EXPECT_NEAR(json.NumberOf("p50_ms"), 2, 0.125);
  EXPECT_NEAR(json.NumberOf("p99_ms"), 2, 0.125);
  EXPECT_EQ(json.NumberOf("max_ms"), 100);
}

TEST(Statistics, WithoutOneServedThereAreNoTimes) {
  Json json = JsonOf({VisitOf({Broken(Errc::kRefused)})});
  EXPECT_TRUE(json.Find("p50_ms")->is_null());
  EXPECT_TRUE(json.Find("p99_ms")->is_null());
  EXPECT_TRUE(json.Find("max_ms")->is_null());
  EXPECT_EQ(TextOf(json, "by_datacenter"), "{}");
}

TEST(Statistics, NamesPastTheLimitAreCountedTogether) {
  Statistics statistics;
  for (size_t i = 0; i < kMaxCountedNames; ++i) {
    statistics.Add(ServedVisit(fmt::format("dc-{}", i)));
  }
  EXPECT_FALSE(statistics.by_datacenter().contains("(others)"));
  statistics.Add(ServedVisit("one-more"));
  statistics.Add(ServedVisit("dc-0"));
  EXPECT_EQ(statistics.by_datacenter().at("(others)"), 1u);
  EXPECT_EQ(statistics.by_datacenter().at("dc-0"), 2u);
}

TEST(Statistics, OneLineForPeople) {
  EXPECT_EQ(Counted(kMixed).Line({.elapsed = milliseconds{1500}}),
            "6 requests in 1.5 s: us-east 2, us-west 2; 2 fell back, 3 failed "
            "(dns timed out 1, refused 1, status 503 1); p50 3.0 ms, p99 3.0 ms\n");
  EXPECT_EQ(Counted({VisitOf({Broken(Errc::kRefused)})})
                .Line({.elapsed = milliseconds{100}, .interrupted = true}),
            "1 request in 0.1 s; 0 fell back, 1 failed (refused 1); interrupted\n");
}

}  // namespace
}  // namespace meridian::visit
