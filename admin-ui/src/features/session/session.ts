import { createContext, useContext } from 'react';

/** Who is signed in. */
export interface Session {
  /** Of the token; changes with the person. */
  subject: string;
  signOut: () => void;
}

export const SessionContext = createContext<Session | null>(null);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (!session) {
    throw new Error('there is a session only below SessionProvider');
  }

  return session;
}
