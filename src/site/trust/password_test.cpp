#include "site/trust/password.hpp"

#include <gtest/gtest.h>

namespace meridian::site {
namespace {

TEST(Password, IsTheSameForWhoeverHasTheToken) {
  EXPECT_EQ(PasswordFor(Secret("a"), "session").Reveal(),
            PasswordFor(Secret("a"), "session").Reveal());
  EXPECT_EQ(PasswordFor(Secret("a"), "session").Reveal().size(), 64);
}

TEST(Password, IsAnotherForEachTokenAndPurpose) {
  EXPECT_NE(PasswordFor(Secret("a"), "session").Reveal(),
            PasswordFor(Secret("b"), "session").Reveal());
  EXPECT_NE(PasswordFor(Secret("a"), "session").Reveal(),
            PasswordFor(Secret("a"), "queue").Reveal());
}

}  // namespace
}  // namespace meridian::site
