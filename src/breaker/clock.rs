//! The clock that the machine of a breaker reads.

use crate::breaker::Breaker;
use crate::clock::{Coarse, now};
use crate::machine::{Clock, Nanos};

impl Clock for Breaker {
    #[inline]
    fn exact(&self) -> Nanos {
        self.machine.nanos_at(now())
    }

    #[inline(always)]
    fn recent(&self) -> Nanos {
        Nanos::from_u64(self.coarse.nanos(|| self.exact().get()))
    }

    #[inline(always)]
    fn behind(&self) -> Nanos {
        Nanos::from_u64(Coarse::BEHIND)
    }
}
