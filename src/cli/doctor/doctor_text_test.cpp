#include "cli/doctor/doctor_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/doctor/healthy_facts_fixture.hpp"
#include "wire/json/value.hpp"

namespace meridian::cli {
namespace {

TEST(DoctorText, HasEachFindingWithItsMendAndTheCount) {
  DoctorFacts facts = HealthyFacts();
  facts.machine.modes[0].mode = 0755;
  facts.machine.clock.reset();
  const Diagnosis diagnosis = Diagnose(facts);
  EXPECT_TRUE(HasErrors(diagnosis));
  EXPECT_EQ(DoctorText(facts, diagnosis, false),
            "This machine and the site photos (us-east here), with the state directory "
            "/srv/photos/.meridian\n"
            "\n"
            "error: permissions: /srv/photos/.meridian has mode 0755: other users can reach the "
            "site's token, keys and sessions.\n"
            "  Mend: chmod 0700 /srv/photos/.meridian, then replace admin.token and the keys if "
            "others use this machine.\n"
            "\n"
            "Not checked:\n"
            "  the clock: adjtimex(2) is forbidden here\n"
            "\n"
            "1 error, 0 warnings.\n");
  EXPECT_THAT(DoctorText(facts, diagnosis, true), testing::HasSubstr("\x1b[31merror\x1b[0m: "));
}

TEST(DoctorText, SaysSoWhenNothingIsWrong) {
  const DoctorFacts facts = HealthyFacts();
  const Diagnosis diagnosis = Diagnose(facts);
  EXPECT_FALSE(HasErrors(diagnosis));
  EXPECT_THAT(DoctorText(facts, diagnosis, true), testing::EndsWith("Nothing wrong was found.\n"));
}

TEST(DoctorText, WarningsAloneAreNoError) {
  DoctorFacts facts = HealthyFacts();
  facts.machine.clock->synchronized = false;
  const Diagnosis diagnosis = Diagnose(facts);
  EXPECT_FALSE(HasErrors(diagnosis));
  EXPECT_THAT(DoctorText(facts, diagnosis, false), testing::EndsWith("0 errors, 1 warning.\n"));
}

TEST(DoctorJson, HasTheSame) {
  DoctorFacts facts{.machine = HealthyMachine()};
  facts.machine.modes[0].mode = 0755;
  auto json = wire::json::Parse(DoctorJson(facts, Diagnose(facts)));
  ASSERT_TRUE(json);
  EXPECT_TRUE(json->Find("site")->is_null());
  EXPECT_EQ(json->WholeNumberOf("errors"), 1U);
  ASSERT_EQ(json->ElementsOf("findings").size(), 1U);
  const wire::json::Value& finding = json->ElementsOf("findings")[0];
  EXPECT_EQ(finding.TextOf("severity"), "error");
  EXPECT_EQ(finding.TextOf("subject"), "permissions");
  EXPECT_THAT(finding.TextOf("mend"), testing::StartsWith("chmod 0700"));
  EXPECT_EQ(json->ElementsOf("unchecked").size(), 1U);
}

}  // namespace
}  // namespace meridian::cli
