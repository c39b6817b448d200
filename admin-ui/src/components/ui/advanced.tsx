import { Button, Collapse, SimpleGrid } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { IconAdjustments } from '@tabler/icons-react';
import { type ReactNode, useId } from 'react';

interface AdvancedProps {
  /** Inputs that most people leave as they are. */
  children: ReactNode;
  /** Whether they are shown from the start, because one of them is set. */
  isSet?: boolean;
  /** Shown whatever the button says: one of them is wrong. */
  isWrong?: boolean;
}

/** Inputs that are folded away. */
export function Advanced({ children, isSet = false, isWrong = false }: AdvancedProps) {
  const [isOpen, { toggle }] = useDisclosure(isSet);
  const inputs = useId();
  const isShown = isOpen || isWrong;
  return (
    <div>
      <Button
        variant="subtle"
        size="compact-sm"
        leftSection={<IconAdjustments size={16} />}
        aria-expanded={isShown}
        aria-controls={inputs}
        onClick={toggle}
      >
        Advanced
      </Button>
      <Collapse expanded={isShown} id={inputs}>
        <SimpleGrid cols={{ base: 1, xs: 2 }} mt="xs">
          {children}
        </SimpleGrid>
      </Collapse>
    </div>
  );
}
