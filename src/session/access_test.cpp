#include "session/access.hpp"

#include <gtest/gtest.h>

#include "base/scratch_dir.hpp"
#include "session/config.hpp"
#include "site/site.hpp"
#include "site/state_dir.hpp"

namespace meridian::session {
namespace {

class AccessTest : public testing::Test {
 protected:
  AccessTest() {
    site_.datacenters.push_back({.name = "us-east", .address = IpAddress::V4(127, 1, 0, 1)});
    site_.sections.Put(Config{});
  }
  std::string Url(const Passwords& passwords) {
    return ApplicationUrl(site_, site_.datacenters.front(), site::Hosting::kLab, passwords)
        .Reveal();
  }

  site::Site site_;
  ScratchDir scratch_;
};

TEST_F(AccessTest, UrlOfAStoreWithoutPasswords) { EXPECT_EQ(Url({}), "redis://127.1.0.1:6379"); }

TEST_F(AccessTest, UrlOfTheDefaultUserNamesNone) {
  EXPECT_EQ(Url({{"app", "x"}, {"default", "secret"}}), "redis://:secret@127.1.0.1:6379");
}

TEST_F(AccessTest, UrlOfAnotherUserNamesIt) {
  EXPECT_EQ(Url({{"app", "x"}}), "redis://app:x@127.1.0.1:6379");
}

TEST_F(AccessTest, PasswordsOfAnyBytesFitIntoTheUrl) {
  EXPECT_EQ(Url({{"default", "a/b@:c%"}}), "redis://:a%2Fb%40%3Ac%25@127.1.0.1:6379");
}

TEST_F(AccessTest, ExternalStoreIsHandedOutAsItIs) {
  site_.externals["session"] = {.url = site::Secret("rediss://u:p@redis.internal:6380/1"),
                                .shown = "rediss://redis.internal:6380"};
  EXPECT_EQ(Url({{"default", "secret"}}), "rediss://u:p@redis.internal:6380/1");
}

TEST_F(AccessTest, WithoutAStateDirectoryNoPasswordIsRequired) {
  Result<Passwords> passwords = ReadPasswords(site_, scratch_ / "none");
  EXPECT_TRUE(passwords && passwords->empty());
}

TEST_F(AccessTest, EveryProcessDerivesTheSamePasswordFromTheToken) {
  auto state = site::StateDir::Create(scratch_ / "state");
  ASSERT_TRUE(state && state->EnsureToken());
  Result<Passwords> passwords = ReadPasswords(site_, state->root());
  ASSERT_TRUE(passwords);
  EXPECT_EQ(passwords->at("default").size(), 64);
  EXPECT_EQ(*passwords, ReadPasswords(site_, state->root()).value());
}

TEST_F(AccessTest, VariableThatIsNotSetIsAnError) {
  site_.sections.Put(Config{.password_variables = {{"app", "MERIDIAN_TEST_NOT_SET"}}});
  EXPECT_FALSE(ReadPasswords(site_, scratch_ / "none"));
}

}  // namespace
}  // namespace meridian::session
